use super::{Context, Reject, value::Value};
use crate::event::*;
use std::borrow::Cow;
pub(super) fn line<'a>(body: &'a [u8], _context: &Context, events: &mut Vec<Event<'a>>) -> Result<(), Reject> {
    events.push(Event { kind: Kind::Log, message: String::from_utf8_lossy(body), raw: body, ..Event::default() });
    Ok(())
}
pub(super) struct PairValue<'a>(&'a [u8]);
impl<'a> PairValue<'a> {
    pub fn str(&self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.0)
    }
}
pub(super) fn pair(_text: &[u8]) -> Option<(&[u8], PairValue<'_>, &[u8])> {
    None
}
