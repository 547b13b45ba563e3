use super::{Context, Reject, cursor::Cursor, otlp};
use crate::event::*;
pub(super) fn starts_array(body: &[u8]) -> bool {
    let mut c = Cursor::new(body.get(1..).unwrap_or_default());
    matches!(c.peek(), None | Some(b'{' | b'[' | b']'))
}
pub(super) fn whole_object(body: &[u8]) -> bool {
    let mut c = Cursor::new(body.get(1..).unwrap_or_default());
    matches!(c.peek(), Some(b'"' | b'}')) && body.last() == Some(&b'}')
}
pub(super) fn between(body: &[u8]) -> bool {
    body.iter().all(|b| matches!(b, b'[' | b']' | b',' | b' ')) || body.starts_with(b",{")
}
pub(super) fn documents<'a>(
    body: &'a [u8],
    _otlp: bool,
    context: &Context,
    events: &mut Vec<Event<'a>>,
) -> Result<(), Reject> {
    let mut cursor = Cursor::new(body);
    while let Some(b) = cursor.peek() {
        if matches!(b, b'[' | b']' | b',') {
            cursor.advance();
            continue;
        }
        let before = cursor.clone();
        if !otlp::request(&mut cursor, context, events)? {
            events.push(Event { kind: Kind::Log, raw: cursor.since(before.position()), ..Event::default() });
        }
    }
    Ok(())
}
