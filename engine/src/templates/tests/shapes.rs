//! What is evidently a value, and what is not.

use super::*;

#[test]
fn shape__evident_values__are_masked() {
    for (message, expected) in [
        ("took 12ms, 3.5s in all (40%)", "took <*>ms, <*>s in all (<*>%)"),
        ("read 20.1MB of 4096 bytes", "read <*>MB of <*> bytes"),
        ("from 10.0.0.1:8080 to [fe80::1]:443", "from <*> to [<*>]:<*>"),
        ("id 550e8400-e29b-41d4-a716-446655440000 done", "id <*> done"),
        ("commit da39a3ee5e6b4b0d3255bfef95601890afd80709", "commit <*>"),
        ("open /var/log/nginx/access.log: denied", "open <*>: denied"),
        (r"open C:\Users\x\a.txt", "open <*>"),
        ("GET https://example.com/a?b=1 failed", "GET https://<*> failed"),
        ("mail to alice@example.com bounced", "mail to <*> bounced"),
        ("at 2006-01-02 15:04:05,123 UTC x", "at <*> x"),
        ("since Mon Jan  2 15:04:05 MST 2006.", "since <*>."),
        ("on Jan 2 15:04 it", "on <*> it"),
        ("2006-01-02T15:04:05.000Z up", "<*> up"),
        ("version v1.12.3 of 2.0-rc1", "version <*> of <*>"),
        ("run_1700000000000_0020 and try_1700000000000_x_03", "run_<*> and try_<*>"),
        ("pod payment-7d9f8b6c5-x2x4z", "pod payment-<*>"),
        ("uid=0 euid=-1 ptr=0x7fff0010", "uid=<*> euid=<*> ptr=<*>"),
        ("a.b.Queue@1f3a9c left", "a.b.Queue@<*> left"),
        ("mac 00:1a:2b:3c:4d:5e", "mac <*>"),
        ("db-1.internal.example.com:5432 and web-3:80", "<*> and <*>"),
        ("width.........0", "width.........<*>"),
        ("less than <1 sec", "less than <*> sec"),
    ] {
        assert_eq!(shaped(message), expected, "{message}");
    }
}

#[test]
fn shape__words_of_the_program__stay() {
    for message in [
        "VM Started",
        "ssh2 over tcp, IPv4 and utf8",
        "sha256 of x86_64",
        "ring2_init() done",
        "java.lang.NullPointerException: null",
        "/login and /metrics",
        "read/write and TCP/IP",
        "main.c and server.properties",
        "can't open: May not",
        "...",
        "Größe überschritten",
    ] {
        assert_eq!(shaped(message), message);
    }
}

#[test]
fn shape__white_space_and_further_lines__are_left_out() {
    assert_eq!(shaped("  a \t b  \nat com.example.Main(Main.java:12)"), "a b");
    assert_eq!(shaped("\n\n"), "");
    assert_eq!(shaped("first\r\nsecond"), "first");
}

#[test]
fn shape__a_word_at_the_limit__is_left_out_whole() {
    let message = format!("{} 12345678", "word ".repeat(LIMIT / 5));
    assert!(shaped(&message).ends_with("word"));
}
