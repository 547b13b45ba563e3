//! What a log record's text says about itself.

use super::Context;
use crate::event::Event;

/// Take the level, and whatever else the text of a record says plainly, out of the text.
pub(super) fn read(_event: &mut Event<'_>, _context: &Context) {}
