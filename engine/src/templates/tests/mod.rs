//! What holds of every shape and every grouping.

mod properties;
mod shapes;
mod systems;
mod values;

use super::*;

fn shaped(message: &str) -> String {
    let mut out = String::new();
    shape(message, &mut out);
    out
}

/// The template of each message, in order.
fn grouped(messages: &[&str]) -> Vec<String> {
    let mut shapes: Vec<String> = messages.iter().map(|message| shaped(message)).collect();
    let order = shapes.clone();
    shapes.sort();
    shapes.dedup();
    let borrowed: Vec<&str> = shapes.iter().map(String::as_str).collect();
    let grouping = Grouping::of(&borrowed);
    let template = |shape: &String| {
        let at = shapes.partition_point(|other| other < shape);
        grouping.template(grouping.group(at)).to_owned()
    };
    order.iter().map(template).collect()
}

/// Whether a text is one that the template stands for: each `<*>` is any text, also none.
fn fits(template: &str, text: &str) -> bool {
    let mut parts = template.split(VARIABLE);
    let first = parts.next().unwrap_or("");
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.len() >= last.len() && rest.ends_with(last)
}
