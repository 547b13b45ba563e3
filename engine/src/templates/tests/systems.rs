//! Messages of systems of every kind: what belongs together, and what does not.

use super::*;

/// Messages of one template, and the template.
fn joined(messages: &[&str], template: &str) {
    for found in grouped(messages) {
        assert_eq!(found, template);
    }
}

/// Messages that are each their own.
fn apart(messages: &[&str]) {
    let mut found = grouped(messages);
    found.sort();
    found.dedup();
    assert_eq!(found.len(), messages.len(), "{found:#?}");
}

#[test]
fn grouping__what_happened__is_no_variable() {
    apart(&["VM Started", "VM Paused", "VM Resumed", "VM Stopped"]);
    apart(&["session opened", "session closed", "session lost"]);
    apart(&["order 1 created for customer 7", "order 1 cancelled for customer 7", "order 1 shipped for customer 7"]);
    apart(&["leader election lost", "leader election won"]);
    apart(&["eth0: link up", "eth0: link down"]);
    apart(&["feature flags enabled for all tenants", "feature flags disabled for all tenants"]);
    apart(&[
        "state changed from NEW to READY",
        "state changed from READY to RUNNING",
        "state changed from RUNNING to DONE",
    ]);
    apart(&["request failed: java.io.IOException", "request failed: java.net.SocketTimeoutException"]);
    apart(&[
        "cannot read /a/b: Not a directory",
        "cannot read /a/b: Stale file handle",
        "cannot read /a/b: Text file busy",
    ]);
    apart(&["CONNECTING", "CONNECTED", "DRAINING", "IDLE"]);
    apart(&[
        "Starting", "Stopping", "Started", "Stopped", "Ready", "Waiting", "Done", "Failed", "Idle", "Busy", "Lost",
    ]);
}

#[test]
fn grouping__names__are_variables() {
    joined(
        &["unknown user alice at 10.0.0.1", "unknown user bob at 10.0.0.2", "unknown user 0 at 10.0.0.2"],
        "unknown user <*> at <*>",
    );
    joined(&["Started a.service.", "Started b.service.", "Started c.service."], "Started <*>.");
    joined(&["eth0: link is down", "eth1: link is down"], "eth<*>: link is down");
    joined(
        &["relation \"users\" does not exist at character 15", "relation \"orders\" does not exist at character 7"],
        "relation \"<*>\" does not exist at character <*>",
    );
    joined(
        &["mail \"Your order\" sent", "mail \"Hi\" sent", "mail \"Reset your password now\" sent"],
        "mail \"<*>\" sent",
    );
}

#[test]
fn grouping__names_that_come_in_pairs__are_variables() {
    joined(
        &[
            "the session of alice was moved to tokyo by the operator",
            "the session of bob was moved to paris by the operator",
            "the session of carol was moved to london by the operator",
            "the session of dave was moved to berlin by the operator",
        ],
        "the session of <*> was moved to <*> by the operator",
    );
}

#[test]
fn grouping__names_beside_amounts__are_variables() {
    joined(
        &[
            "quota of alice exceeded: 5 MB of 3 KB",
            "quota of bob exceeded: 12 of 10 bytes",
            "quota of carol exceeded: 7 KB of 6 KB",
            "quota of dave exceeded: 1 MB of 1 MB",
        ],
        "quota of <*> exceeded: <*> of <*>",
    );
}

#[test]
fn grouping__assignments_in_two_messages__are_variables() {
    joined(
        &["login done user=alice db=orders via=socket", "login done user=bob db=users via=tcp"],
        "login done user=<*> db=<*> via=<*>",
    );
}

#[test]
fn grouping__amounts__are_one_however_written() {
    joined(
        &["copied the file in 12ms", "copied the file in 3.1s", "copied the file in 1 min"],
        "copied the file in <*>",
    );
    joined(&["flushed, 312 bytes kept", "flushed, 2048 bytes (2.00 KB) kept"], "flushed, <*> bytes<*>kept");
    joined(&["told node to forget 1, 2", "told node to forget 1, 2, 3, 4"], "told node to forget <*>");
    joined(
        &["told it to forget part_12345678", "told it to forget part_12345678 part_87654321 part_11112222"],
        "told it to forget part_<*>",
    );
    joined(&["call of 10.0.0.1 () at noon", "call of 10.0.0.1 (10.0.0.2) at noon"], "call of <*> (<*>) at noon");
}

#[test]
fn grouping__lists_of_assignments__do_not_explode() {
    let lines: Vec<String> = (0..400)
        .map(|i: usize| {
            let (user, path, state) =
                (["al", "bo", "cy"][i % 3], ["login", "cart"][i % 2], ["up", "down", "idle"][i / 7 % 3]);
            format!("request served user={user} path={path} state={state} ms={i} trace={i:08x}")
        })
        .collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    joined(&lines, "request served user=<*> path=<*> state=<*> ms=<*> trace=<*>");
}

#[test]
fn grouping__systems_side_by_side__keep_their_messages() {
    let lines = [
        ("worker process 17 exited with code 0", "worker process <*> exited with code <*>"),
        ("worker process 18 exited on signal 9", "worker process <*> exited on signal <*>"),
        ("checkpoint starting: time", "checkpoint starting: time"),
        ("checkpoint complete: wrote 7 buffers (0.0%)", "checkpoint complete: wrote <*> buffers (<*>%)"),
        ("could not receive data from client: Connection reset by peer", ""),
        ("unexpected EOF on client connection with an open transaction", ""),
        ("Back-off restarting failed container", ""),
        ("Scaled up replica set web-5f6d7c8b9d to 3", "Scaled up replica set web-<*> to <*>"),
        ("Scaled down replica set web-5f6d7c8b9d to 1", "Scaled down replica set web-<*> to <*>"),
        ("Reached target Network.", ""),
        ("Reached target Timers.", ""),
        ("HikariPool-1 - Starting...", "HikariPool-<*> - Starting..."),
        ("HikariPool-1 - Start completed.", "HikariPool-<*> - Start completed."),
        ("Background saving terminated with success", ""),
        (
            "Task tasks.add[550e8400-e29b-41d4-a716-446655440000] succeeded in 0.01s: None",
            "Task tasks.add[<*>] succeeded in <*>s: None",
        ),
    ];
    let messages: Vec<&str> = lines.iter().map(|line| line.0).collect();
    for ((message, expected), found) in lines.iter().zip(grouped(&messages)) {
        assert_eq!(&found, if expected.is_empty() { message } else { expected });
    }
}
