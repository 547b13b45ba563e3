//! Lines that belong together are one event, however the stream is cut.

use proptest::prelude::*;

use super::stream;
use crate::event::Level;

/// What each event of a stream is: its level, whether it failed, and its message.
fn events(data: &str) -> Vec<(Level, bool, String)> {
    stream(data).iter().map(|event| (event.level, event.failed, event.message.to_string())).collect()
}

fn assert_events(data: &str, expected: &[(Level, bool, &str)]) {
    let expected: Vec<_> =
        expected.iter().map(|(level, failed, message)| (*level, *failed, (*message).to_owned())).collect();
    assert_eq!(events(data), expected, "{data}");
}

#[test]
fn a_trace_of_java_goes_on_with_its_record() {
    assert_events(
        "2026-11-24 23:42:01,123 ERROR [main] com.shop.Orders - order lost\n\
         java.lang.IllegalStateException: no stock\n\
         \tat com.shop.Orders.accept(Orders.java:42) ~[shop.jar:1.0]\n\
         \tat java.base/java.lang.Thread.run(Thread.java:1583)\n\
         \tSuppressed: java.io.IOException: closed\n\
         \t\tat com.shop.Db.close(Db.java:7)\n\
         Caused by: java.sql.SQLException: timeout\n\
         \tat com.shop.Db.query(Db.java:99)\n\
         \t... 12 more\n\
         2026-11-24 23:42:02,000 INFO [main] com.shop.Orders - ready\n",
        &[(Level::Error, true, "order lost"), (Level::Info, false, "ready")],
    );
    assert_events(
        "starting\n\
         Exception in thread \"main\" java.lang.NullPointerException: x is null\n\
         \tat com.shop.Main.main(Main.java:3)\n\
         done\n",
        &[
            (Level::Unset, false, "starting"),
            (Level::Error, true, "Exception in thread \"main\" java.lang.NullPointerException: x is null"),
            (Level::Unset, false, "done"),
        ],
    );
}

#[test]
fn a_traceback_of_python_is_told_by_its_exception() {
    let traceback = "Traceback (most recent call last):\n  \
         File \"/app/main.py\", line 3, in run\n    \
         pay(order)\n    ~~~^^^^^^^\n  \
         File \"/app/pay.py\", line 9, in pay\n    \
         raise ValueError(order)\n\
         ValueError: 42\n";
    assert_events(
        &format!(
            "2026-11-24 23:42:01,123 - shop - ERROR - failed\n{traceback}2026-11-24 23:42:02,000 - shop - INFO - next\n"
        ),
        &[(Level::Error, true, "failed"), (Level::Info, false, "next")],
    );
    // Without a record that it belongs to, it is one itself; what it was handled in goes on with it.
    assert_events(
        &format!(
            "ready\n{traceback}\nDuring handling of the above exception, another exception occurred:\n\n{traceback}ready\n"
        ),
        &[(Level::Unset, false, "ready"), (Level::Error, true, "ValueError: 42"), (Level::Unset, false, "ready")],
    );
    // What is said in passing fails nobody: the traceback behind it is of something else.
    assert_events(
        &format!("2026-11-24 23:42:01,123 - shop - INFO - ready\n{traceback}"),
        &[(Level::Info, false, "ready"), (Level::Error, true, "ValueError: 42")],
    );
    assert_events(
        "  + Exception Group Traceback (most recent call last):\n  \
         |   File \"/app/main.py\", line 3, in run\n  \
         |     raise group\n  \
         | ExceptionGroup: two failed (2 sub-exceptions)\n  \
         +-+---------------- 1 ----------------\n    \
         | ValueError: 1\n    \
         +------------------------------------\n\
         ready\n",
        &[(Level::Error, true, "| ExceptionGroup: two failed (2 sub-exceptions)"), (Level::Unset, false, "ready")],
    );
}

#[test]
fn a_panic_of_go_has_its_goroutines() {
    assert_events(
        "2026/11/24 23:42:01 ready\n\
         panic: runtime error: index out of range [3] with length 2\n\
         [signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x480]\n\n\
         goroutine 1 [running]:\n\
         main.accept(0xc000012345, 0x2)\n\
         \t/app/main.go:12 +0x1d\n\
         net/http.(*conn).serve(0xc000120000, {0x6f1c48, 0xc00011e6c0})\n\
         \t/usr/local/go/src/net/http/server.go:2009 +0x5f4\n\
         created by net/http.(*Server).Serve in goroutine 1\n\
         \t/usr/local/go/src/net/http/server.go:3086 +0x5cb\n\n\
         goroutine 5 [select]:\n\
         main.main()\n\
         \t/app/main.go:5 +0x20\n\
         exit status 2\n\
         2026/11/24 23:42:02 ready\n",
        &[
            (Level::Unset, false, "ready"),
            (Level::Fatal, true, "panic: runtime error: index out of range [3] with length 2"),
            (Level::Unset, false, "ready"),
        ],
    );
}

#[test]
fn a_panic_of_rust_says_what_stands_in_its_second_line() {
    assert_events(
        "thread 'main' panicked at src/main.rs:2:5:\n\
         no stock\n\
         stack backtrace:\n   \
         0: rust_begin_unwind\n             \
         at /rustc/9fc6b431/library/std/src/panicking.rs:645:5\n   \
         1: shop::main\n             \
         at ./src/main.rs:2:5\n\
         note: Some details are omitted, run with `RUST_BACKTRACE=full` for a verbose backtrace.\n\
         ready\n",
        &[(Level::Fatal, true, "thread 'main' panicked at src/main.rs:2:5: no stock"), (Level::Unset, false, "ready")],
    );
    assert_events(
        "thread 'worker' panicked at 'no stock', src/main.rs:2:5\n\
         note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n",
        &[(Level::Fatal, true, "thread 'worker' panicked at 'no stock', src/main.rs:2:5")],
    );
}

#[test]
fn an_error_of_javascript_has_its_frames() {
    assert_events(
        "listening\n\
         /app/index.js:3\n  \
         throw new TypeError('no stock');\n  \
         ^\n\n\
         TypeError: no stock\n    \
         at accept (/app/index.js:3:9)\n    \
         at Object.<anonymous> (/app/index.js:7:1) {\n  \
         code: 'ENOSTOCK'\n\
         }\n\n\
         Node.js v20.1.0\n\
         listening\n",
        &[
            (Level::Unset, false, "listening"),
            (Level::Error, true, "TypeError: no stock"),
            (Level::Unset, false, "listening"),
        ],
    );
    assert_events(
        "2026-11-24T23:42:01.000Z error: cannot pay\n\
         Error: no stock\n    at async pay (file:///app/pay.mjs:3:9)\n    at /app/index.js:7:1\n",
        &[(Level::Error, true, "cannot pay")],
    );
}

#[test]
fn exceptions_of_dotnet_and_ruby_have_their_frames() {
    assert_events(
        "Unhandled exception. System.InvalidOperationException: no stock\n \
         ---> System.IO.IOException: closed\n   \
         at Shop.Db.Close() in /src/Db.cs:line 7\n   \
         --- End of inner exception stack trace ---\n   \
         at Shop.Orders.Accept(Int32 id) in /src/Orders.cs:line 42\n\
         info: Shop.Worker[14]\n      \
         Order 7 accepted\n      \
         and shipped\n\
         fail: Shop.Worker[0]\n      \
         Order 8 lost\n",
        &[
            (Level::Error, true, "Unhandled exception. System.InvalidOperationException: no stock"),
            (Level::Info, false, "Order 7 accepted"),
            (Level::Error, true, "Order 8 lost"),
        ],
    );
    let data = "E, [2026-11-24T23:42:01.000000 #123] ERROR -- shop: no stock (RuntimeError)\n\
         /app/orders.rb:12:in `accept'\n\
         /app/orders.rb:3:in `block in run'\n\
         I, [2026-11-24T23:42:02.000000 #123]  INFO -- : ready\n";
    assert_events(data, &[(Level::Error, true, "no stock (RuntimeError)"), (Level::Info, false, "ready")]);
    assert_eq!(stream(data)[0].operation, "shop");
}

#[test]
fn wrapped_lines_go_on_with_a_record_that_has_a_time() {
    assert_events(
        "Nov 24 23:42:01 mac syslogd[7]: Configuration Notice:\n\
         \tASL Module \"com.apple.cdscheduler\" claims selected messages.\n\
         Nov 24 23:42:02 mac syslogd[7]: next\n",
        &[(Level::Unset, false, "Configuration Notice:"), (Level::Unset, false, "next")],
    );
    // Where lines have no time, what is indented is a line as any other.
    assert_events("Usage:\n  run FILE\n", &[(Level::Unset, false, "Usage:"), (Level::Unset, false, "run FILE")]);
}

#[test]
fn lines_of_several_programs_are_kept_apart() {
    let data = "web-1  | 2026-11-24 23:42:01,123 ERROR failed\n\
         web-1  | Traceback (most recent call last):\n\
         db-1   | ready\n\
         web-1  |   File \"/app/main.py\", line 3, in run\n\
         web-1  |     pay(order)\n\
         web-1  | ValueError: 42\n\
         web-1  | next\n";
    assert_events(
        data,
        &[(Level::Error, true, "failed"), (Level::Unset, false, "ready"), (Level::Unset, false, "next")],
    );
    assert_events(
        "2026-11-24T23:42:01.000000000Z stderr F panic: no stock\n\
         2026-11-24T23:42:01.000000001Z stderr F \n\
         2026-11-24T23:42:01.000000002Z stderr F goroutine 1 [running]:\n\
         2026-11-24T23:42:01.000000003Z stderr F main.main()\n\
         2026-11-24T23:42:01.000000004Z stderr F \t/app/main.go:5 +0x20\n\
         2026-11-24T23:42:01.000000005Z stdout F ready to go\n",
        &[(Level::Fatal, true, "panic: no stock"), (Level::Unset, false, "ready to go")],
    );
}

#[test]
fn details_of_postgresql_go_on_with_their_record() {
    let data = "2026-11-24 23:42:01.000 UTC [7] shop@db ERROR:  duplicate key value violates unique constraint \"orders_pkey\"\n\
         2026-11-24 23:42:01.000 UTC [7] shop@db DETAIL:  Key (id)=(7) already exists.\n\
         2026-11-24 23:42:01.000 UTC [7] shop@db STATEMENT:  insert into orders\n\
         \tvalues (7)\n\
         2026-11-24 23:42:02.000 UTC [7] shop@db LOG:  duration: 1234.500 ms  statement: select *\n\
         \tfrom orders where id = 7\n\
         2026-11-24 23:42:03.000 UTC [7] shop@db LOG:  duration: 2.000 ms  execute <unnamed>: update orders set x = $1\n\
         2026-11-24 23:42:03.000 UTC [7] shop@db DETAIL:  parameters: $1 = '7'\n";
    let events = stream(data);
    let found: Vec<_> = events.iter().map(|event| (event.kind.name(), &*event.operation, event.duration)).collect();
    assert_eq!(
        found,
        [("log", "", None), ("server", "SELECT", Some(1_234_500_000)), ("server", "UPDATE orders", Some(2_000_000))]
    );
}

#[test]
fn a_slow_query_is_one_event() {
    let data = "/usr/sbin/mysqld, Version: 8.0.43 (Ubuntu). started with:\n\
         Tcp port: 3306  Unix socket: /var/run/mysqld/mysqld.sock\n\
         Time                 Id Command    Argument\n\
         # Time: 2026-11-24T23:42:01.000000Z\n\
         # User@Host: shop[shop] @ localhost []  Id:     8\n\
         # Query_time: 2.500000  Lock_time: 0.000012 Rows_sent: 1  Rows_examined: 900000\n\
         use shop;\n\
         SET timestamp=1795563718;\n\
         select count(*) from orders\n  where state = 'open';\n\
         # User@Host: shop[shop] @ localhost []\n\
         # Query_time: 0.5  Lock_time: 0.0 Rows_sent: 0  Rows_examined: 0\n\
         SET timestamp=1795563721;\n\
         # administrator command: Ping;\n";
    let events = stream(data);
    let found: Vec<_> = events
        .iter()
        .skip(3)
        .map(|event| (event.kind.name(), &*event.service, &*event.operation, event.time, event.duration))
        .collect();
    assert_eq!(
        found,
        [
            ("server", "mysql", "SELECT orders", Some(super::NOW), Some(2_500_000_000)),
            ("server", "mysql", "Ping", Some(super::NOW), Some(500_000_000)),
        ]
    );
}

#[test]
fn a_record_of_java_util_logging_has_two_lines() {
    let data = "Nov 24, 2026 11:42:01 PM com.shop.Orders accept\n\
         SEVERE: no stock\n\
         java.lang.IllegalStateException: 7\n\
         \tat com.shop.Orders.accept(Orders.java:42)\n\
         Nov 24, 2026 11:42:01 PM com.shop.Orders accept\n\
         INFO: ready\n";
    assert_events(data, &[(Level::Error, true, "no stock"), (Level::Info, false, "ready")]);
    let event = &stream(data)[0];
    assert_eq!((&*event.operation, event.time), ("com.shop.Orders", Some(super::NOW)));
}

/// A record of a logger, and what may stand below it.
fn record() -> impl Strategy<Value = (Level, &'static str, String)> {
    let levels = [(Level::Error, "ERROR"), (Level::Warn, "WARN"), (Level::Info, "INFO")];
    let below = prop_oneof![
        Just(String::new()),
        "(\tat [a-z]{2,8}\\.[A-Z][a-z]{2,8}\\.[a-z]{2,8}\\([A-Z][a-z]{2,8}\\.java:[0-9]{1,4}\\)\n){1,5}(\t\\.\\.\\. [0-9]{1,2} more\n)?",
        "( {2,8}[a-z=]{1,9}( [a-z]{1,9}){0,3}\n){1,4}",
        "(Caused by: [a-z]{2,5}\\.[A-Z][a-z]{2,5}Exception: [a-z ]{0,9}\n\tat a\\.B\\.c\\(B\\.java:[0-9]\\)\n){1,3}",
    ];
    (prop::sample::select(levels.to_vec()), below).prop_map(|((level, word), below)| (level, word, below))
}

proptest! {
    /// Whatever stands below records, they are as many as were written.
    #[test]
    fn what_stands_below_a_record_is_no_event(records in prop::collection::vec(record(), 1..12)) {
        let mut data = String::new();
        for (number, (_, word, below)) in records.iter().enumerate() {
            data += &format!("2026-11-24 23:42:{number:02} {word} [main] com.shop.Orders - order {number}\n{below}");
        }
        let found = events(&data);
        prop_assert_eq!(found.len(), records.len(), "{}", data);
        for (number, ((level, failed, message), (written, ..))) in found.iter().zip(&records).enumerate() {
            prop_assert_eq!((level, *failed), (written, *written == Level::Error));
            prop_assert_eq!(message, &format!("order {number}"));
        }
    }
}
