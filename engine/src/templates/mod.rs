//! Templates of messages: what is constant in them, with the variables written `<*>`.

/// Bytes of a message that are looked at.
pub const LIMIT: usize = 1_024;

/// The shape of a message: words with digits in them become `<*>`. Replaces what `out` held.
pub fn shape(message: &str, out: &mut String) {
    out.clear();
    let line = message.lines().next().unwrap_or_default();
    let end = (0..=LIMIT.min(line.len())).rev().find(|&i| line.is_char_boundary(i)).unwrap_or(0);
    for word in line[..end].split_inclusive(|c: char| !c.is_alphanumeric()) {
        let (body, rest) = word
            .char_indices()
            .next_back()
            .filter(|(_, c)| !c.is_alphanumeric())
            .map_or((word, ""), |(i, _)| word.split_at(i));
        if body.chars().any(|c| c.is_ascii_digit()) {
            if !out.ends_with("<*>") {
                out.push_str("<*>");
            }
        } else {
            out.push_str(body);
        }
        out.push_str(rest);
    }
}

/// One JSON object for each line: the number of its template, and the template.
#[must_use]
pub fn of_lines(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut ids = std::collections::BTreeMap::new();
    let mut template = String::new();
    for line in data.split_inclusive(|&byte| byte == b'\n') {
        shape(String::from_utf8_lossy(line).trim_end(), &mut template);
        let next = ids.len();
        let id = *ids.entry(template.clone()).or_insert(next);
        out.extend_from_slice(serde_json::json!({"id": id, "template": template}).to_string().as_bytes());
        out.push(b'\n');
    }
    out
}
