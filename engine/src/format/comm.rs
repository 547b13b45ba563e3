//! Names of threads as the kernel knows them, 15 bytes long at most.

/// The program that a thread's name names, without the number of the processor or of the worker: `kworker/0:1H-kblockd` is
/// `kworker`, `ksoftirqd/3` is `ksoftirqd`. Nothing where it names nobody, as `<...>` does.
pub(super) fn program(comm: &[u8]) -> &[u8] {
    if matches!(comm, b"<...>" | b"<unknown>" | b"-" | b":-1") {
        return b"";
    }
    if comm == b"<idle>" {
        return b"swapper";
    }
    match memchr::memchr(b'/', comm) {
        // The handler of an interrupt is known by its number and the device.
        Some(at) if &comm[..at] != b"irq" && is_number(&comm[at + 1..]) => &comm[..at],
        _ => comm,
    }
}

/// `3`, `0:1H`, `u8:2-events`, `R-rcu_g`.
fn is_number(text: &[u8]) -> bool {
    matches!(text, [b'0'..=b'9', ..] | [b'u', b'0'..=b'9', ..] | [b'R', b'-', ..])
}

#[cfg(test)]
mod tests {
    use super::program;

    #[test]
    fn threads_of_the_kernel_are_one_program() {
        let cases = [
            ("kworker/0:1H-kblockd", "kworker"),
            ("kworker/u8:2", "kworker"),
            ("ksoftirqd/3", "ksoftirqd"),
            ("jbd2/sda1-8", "jbd2/sda1-8"),
            ("irq/409-inv_irq", "irq/409-inv_irq"),
            ("Web Content", "Web Content"),
            ("<...>", ""),
            ("<idle>", "swapper"),
        ];
        for (comm, name) in cases {
            assert_eq!(std::str::from_utf8(program(comm.as_bytes())).unwrap(), name);
        }
    }
}
