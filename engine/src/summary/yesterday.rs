//! Yesterday at this hour: what was so then, too, is the season and no fault. A batch that makes a database slow every night,
//! callers who ask for more at noon and get less: the hour before knows nothing of it.

use super::claims;
use super::verdicts::Verdict;
use super::view::{Span, View};
use crate::state::State;
use crate::state::found::Found;
use crate::state::sums::Sums;
use crate::state::timeline::Seconds;

const DAY: Seconds = 86_400;

/// Seconds that are kept together after a day; by as many it may have been earlier or later.
const STEP: Seconds = 600;

/// The same window against each stretch of its length that began about as late yesterday; none where a day is not kept.
fn spans(state: &State, earliest: Option<i64>, window: Span) -> impl Iterator<Item = Span> {
    let known = earliest.map_or(Seconds::MAX, |ns| ns.div_euclid(1_000_000_000)).max(state.clock.oldest());
    let length = (window.to - window.from + STEP - 1) / STEP * STEP;
    [-STEP, 0, STEP].into_iter().filter_map(move |later| {
        let base = state.clock.slot(window.from - DAY + later);
        let until = base + length;
        (known <= base && until < window.from).then_some(Span { base, until, ..window })
    })
}

/// Those of the verdicts of a window that yesterday at this hour does not make usual: against it, too, something of the kind
/// can be said of the service. Where a day is not kept all of them stand.
#[must_use]
pub fn unusual<'v>(
    (state, sums): (&State, &Sums),
    earliest: Option<i64>,
    window: Span,
    mut verdicts: Vec<Verdict<'v>>,
) -> Vec<Verdict<'v>> {
    for span in spans(state, earliest, window) {
        if verdicts.is_empty() {
            break;
        }
        let view = View::over(state, sums, span, &mut Found::default());
        let claims = claims::claims(&view);
        verdicts.retain(|verdict| {
            let leads = verdict.claims.first().map(|lead| lead.what);
            claims.iter().any(|claim| claim.service == verdict.service && Some(claim.what) == leads)
        });
    }
    verdicts
}
