//! Requests in access logs, as servers and proxies write them.

use super::{NOW, attributes, one, stream};
use crate::format::Format;

const MS: u64 = 1_000_000;

#[test]
#[allow(clippy::too_many_lines)] // A table.
fn requests_of_servers_and_proxies_are_understood() {
    let lines: &[(&str, &str, &str, Option<u64>, bool)] = &[
        // Common, combined, and what is added.
        (r#"10.0.0.1 - - [24/Nov/2026:23:42:01 +0000] "GET /a?b=c HTTP/1.1" 200 7"#, "", "GET /a", None, false),
        (
            r#"::1 - - [24/Nov/2026:23:42:01 +0000] "POST /pay HTTP/2.0" 502 0 "-" "curl/8""#,
            "",
            "POST /pay",
            None,
            true,
        ),
        (
            r#"10.0.0.1 - - [24/Nov/2026:23:42:01 +0000] "GET /a HTTP/1.1" 200 7 "-" "curl/8" "-" 0.123"#,
            "",
            "GET /a",
            Some(123 * MS),
            false,
        ),
        (
            r#"10.0.0.1 - - [24/Nov/2026:23:42:01 +0000] "GET /a HTTP/1.1" 200 7 "-" "curl/8" rt=0.250 uct="0.001" urt="0.249""#,
            "",
            "GET /a",
            Some(250 * MS),
            false,
        ),
        (
            // ingress-nginx
            r#"10.0.0.1 - - [24/Nov/2026:23:42:01 +0000] "GET /a HTTP/1.1" 504 7 "-" "curl/8" 405 60.001 [shop-cart-80] [] 10.1.0.7:80 7 60.000 504 9f86d08"#,
            "",
            "GET /a",
            Some(60_001 * MS),
            true,
        ),
        (
            // Apache with %D, and of a virtual host
            r#"shop.example.com:443 10.0.0.1 - - [24/Nov/2026:23:42:01 +0000] "GET /a HTTP/1.1" 200 7 "-" "curl/8" 116075"#,
            "shop.example.com",
            "GET /a",
            Some(116_075_000),
            false,
        ),
        (
            r#"10.0.0.1 - - [24/Nov/2026:23:42:01 +0000] "GET /a HTTP/1.1" 200 7 "-" "curl/8" **2/2116075**"#,
            "",
            "GET /a",
            Some(2_116_075_000),
            false,
        ),
        (
            // Traefik
            r#"10.0.0.1 - - [24/Nov/2026:23:42:01 +0000] "GET /a HTTP/1.1" 200 7 "-" "-" 12 "cart@docker" "http://10.0.0.7:80" 12ms"#,
            "",
            "GET /a",
            Some(12 * MS),
            false,
        ),
        // Flask and Django
        (r#"127.0.0.1 - - [24/Nov/2026 23:42:01] "GET /a HTTP/1.1" 200 -"#, "", "GET /a", None, false),
        (r#"[24/Nov/2026 23:42:01] "GET /a HTTP/1.1" 500 145"#, "", "GET /a", None, true),
        // HAProxy, HTTP and TCP
        (
            r#"Nov 24 23:42:01 lb haproxy[14389]: 10.0.1.2:33317 [24/Nov/2026:23:42:01.000] http-in static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {1wt.eu} {} "GET /index.html HTTP/1.1""#,
            "haproxy",
            "GET /index.html",
            Some(109 * MS),
            false,
        ),
        (
            r#"Nov 24 23:42:01 lb haproxy[14389]: 10.0.1.2:33317 [24/Nov/2026:23:42:01.000] http-in static/<NOSRV> 0/-1/-1/-1/+30001 503 212 - - sQ-- 0/0/0/0/0 0/0 "GET /index.html HTTP/1.1""#,
            "haproxy",
            "GET /index.html",
            Some(30_001 * MS),
            true,
        ),
        (
            "Nov 24 23:42:01 lb haproxy[14385]: 10.0.1.2:33313 [24/Nov/2026:23:42:01.000] fnt bck/srv1 0/0/5007 212 -- 0/0/0/0/3 0/0",
            "haproxy",
            "fnt",
            Some(5_007 * MS),
            false,
        ),
        // Envoy and Istio
        (
            r#"[2026-11-24T23:42:01.000Z] "GET /cart HTTP/1.1" 503 UF 0 91 12 - "-" "curl" "id" "cart" "10.0.0.1:80""#,
            "",
            "GET /cart",
            Some(12 * MS),
            true,
        ),
        (
            r#"[2026-11-24T23:42:01.000Z] "GET /cart HTTP/2" 200 - via_upstream - "-" 0 1234 15 14 "-" "curl" "id" "cart" "10.0.0.1:80" outbound"#,
            "",
            "GET /cart",
            Some(15 * MS),
            false,
        ),
        // AWS
        (
            r#"https 2026-11-24T23:42:01.000000Z app/shop-lb/50dc6c495c0c9188 192.168.131.39:2817 10.0.0.1:80 0.086 0.048 0.037 200 200 0 57 "GET https://www.example.com:443/cart?id=7 HTTP/1.1" "curl/7.46.0" ECDHE TLSv1.2 arn "Root=1-58337281-1d84f3d73c47ec4e58577259" "www.example.com" "arn" 1"#,
            "shop-lb",
            "GET /cart",
            Some(171 * MS),
            false,
        ),
        (
            r#"2026-11-24T23:42:01.000000Z my-lb 192.168.131.39:2817 10.0.0.1:80 -1 -1 -1 504 0 0 0 "GET http://www.example.com:80/ HTTP/1.1" "curl/7.38.0" - -"#,
            "my-lb",
            "GET /",
            None,
            true,
        ),
        (
            r#"79a59df900b949e5 bucket [24/Nov/2026:23:42:01 +0000] 192.0.2.3 79a59df900b949e5 3E57427F3EXAMPLE REST.GET.OBJECT a/b.jpg "GET /a/b.jpg HTTP/1.1" 200 - 113 113 70 10 "-" "S3Console/0.4" -"#,
            "",
            "REST.GET.OBJECT",
            Some(70 * MS),
            false,
        ),
        // Squid
        (
            "1795563721.000    456 10.0.0.1 TCP_MISS/200 1234 GET http://example.com/x?y - HIER_DIRECT/10.0.0.2 text/html",
            "",
            "GET /x",
            Some(456 * MS),
            false,
        ),
        // gin
        (
            "[GIN] 2026/11/24 - 23:42:01 | 500 |     1.5ms |       127.0.0.1 | GET      \"/cart\"",
            "",
            "GET /cart",
            Some(1_500_000),
            true,
        ),
        // uWSGI
        (
            "{address space usage: 1/1MB} {rss usage: 1/1MB} [pid: 7|app: 0|req: 1/1] 127.0.0.1 () {38 vars in 696 bytes} [Tue Nov 24 23:42:01 2026] POST /x?y => generated 47 bytes in 129 msecs (HTTP/1.1 200) 9 headers in 378 bytes (1 switches on core 3)",
            "",
            "POST /x",
            Some(129 * MS),
            false,
        ),
    ];
    for (text, service, operation, duration, failed) in lines {
        let event = one(Format::Text, text);
        assert_eq!(
            (event.kind.name(), &*event.service, &*event.operation, event.duration, event.failed),
            ("server", *service, *operation, *duration, *failed),
            "{text}"
        );
        // These write when a request began.
        let began = [" haproxy[", "[2026-11-24T", " REST.GET", "[pid: 7|"].iter().any(|mark| text.contains(mark));
        let took = if began { i64::try_from(duration.unwrap_or(0)).unwrap() } else { 0 };
        assert_eq!(event.time, Some(NOW + took), "{text}");
        assert_eq!(event.message.is_empty(), !failed, "{text}");
    }
}

#[test]
fn requests_without_a_time_are_understood() {
    for (text, operation, duration) in [
        (r#"INFO:     127.0.0.1:5000 - "GET /cart HTTP/1.1" 200 OK"#, "GET /cart", None),
        ("GET /cart?id=7 200 12.345 ms - 7", "GET /cart", Some(12_345_000)),
    ] {
        let event = one(Format::Text, text);
        assert_eq!((event.kind.name(), &*event.operation, event.duration), ("server", operation, duration), "{text}");
    }
}

#[test]
fn what_is_no_request_stays_a_record() {
    for text in [
        r#"10.0.0.1 - - [24/Nov/2026:23:42:01 +0000] "-" 400 0 "-" "-""#,
        r#"10.0.0.1 - - [24/Nov/2026:23:42:01 +0000] "\x16\x03\x01" 400 150 "-" "-""#,
        "2026-11-24 23:42:01 GET of 200 things took 12 ms",
        "GET /cart 200",
    ] {
        assert_eq!(one(Format::Text, text).kind.name(), "log", "{text}");
    }
}

#[test]
fn a_balancer_joins_its_requests_to_traces() {
    let event = one(
        Format::Text,
        r#"h2 2026-11-24T23:42:01Z app/lb/50dc6c495c0c9188 10.0.0.9:2817 10.0.0.1:80 0.0 0.1 0.0 200 200 0 57 "GET https://x:443/ HTTP/2.0" "curl" - - arn "Root=1-58337281-1d84f3d73c47ec4e58577259""#,
    );
    assert_eq!(format!("{:032x}", u128::from_be_bytes(event.trace)), "583372811d84f3d73c47ec4e58577259");
}

#[test]
fn columns_may_change_in_mid_file() {
    let data = "#Software: Microsoft Internet Information Services 10.0\n\
         #Version: 1.0\n\
         #Date: 2026-11-24 23:42:01\n\
         #Fields: date time s-sitename cs-method cs-uri-stem cs-uri-query sc-status time-taken\n\
         2026-11-24 23:42:01 W3SVC1 GET /cart id=7 200 109\n\
         #Fields: time cs-method cs-uri-stem sc-status\n\
         23:42:01 POST /pay 500\n\
         a line of something else\n";
    let events = stream(data);
    let found: Vec<_> = events
        .iter()
        .map(|event| (event.kind.name(), &*event.service, &*event.operation, event.time, event.duration, event.failed))
        .collect();
    assert_eq!(
        found,
        [
            ("server", "W3SVC1", "GET /cart", Some(NOW), Some(109 * MS), false),
            ("server", "", "POST /pay", Some(NOW), None, true),
            ("log", "", "", None, None, false),
        ]
    );
    assert!(attributes(&events[0]).contains(&("cs-uri-query".to_owned(), r#""id=7""#.to_owned())));
    // CloudFront parts fields with tabs, and counts seconds.
    let data = "#Version: 1.0\n\
         #Fields: date time x-edge-location cs-method cs-uri-stem sc-status time-taken\n\
         2026-11-24\t23:42:01\tLHR5\tGET\t/a%20b.jpg\t200\t0.035\n";
    let event = &stream(data)[0];
    assert_eq!((&*event.operation, event.time, event.duration), ("GET /a%20b.jpg", Some(NOW), Some(35 * MS)));
}
