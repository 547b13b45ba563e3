//! Small closed lists that programs of every kind share: units, months, name endings of the Internet.

/// Suffixes that stay after a number, so that `12ms` reads `<*>ms`.
const UNITS: [&str; 44] = [
    "ns", "us", "µs", "ms", "s", "sec", "secs", "second", "seconds", "m", "min", "mins", "minutes", "h", "hr", "hrs",
    "hours", "d", "days", "b", "B", "byte", "bytes", "k", "K", "kb", "KB", "kB", "Kb", "KiB", "M", "MB", "Mb", "MiB",
    "G", "GB", "GiB", "T", "TB", "TiB", "Hz", "MHz", "GHz", "px",
];

/// Names of techniques that end in several digits: constants of the program, not values.
const NAMED: [&str; 32] = [
    "x86_64", "utf-8", "utf-16", "s390x", "sha128", "sha224", "sha256", "sha384", "sha512", "base32", "base58",
    "base64", "crc32", "x64", "x86", "amd64", "arm64", "aarch64", "i386", "i486", "i586", "i686", "int16", "int32",
    "int64", "uint32", "uint64", "float32", "float64", "utf16", "win32", "x509",
];

/// Endings of host names. Country codes and the like count only after two labels
/// or before a port, and those that are also endings of
/// program files (`py`, `sh`, `rs` …) never.
const DOMAINS: [&str; 21] = [
    "com",
    "net",
    "org",
    "edu",
    "gov",
    "mil",
    "int",
    "info",
    "biz",
    "cloud",
    "local",
    "localdomain",
    "lan",
    "internal",
    "intranet",
    "corp",
    "home",
    "arpa",
    "svc",
    "localhost",
    "dev",
];
const COUNTRIES: [&str; 60] = [
    "ai", "app", "co", "io", "me", "tv", "ae", "ar", "at", "au", "be", "bg", "br", "by", "ca", "ch", "cl", "cn", "cz",
    "de", "dk", "ee", "es", "eu", "fi", "fr", "gr", "hk", "hr", "hu", "id", "ie", "il", "in", "ir", "is", "it", "jp",
    "kr", "lt", "lu", "lv", "mx", "my", "nl", "no", "nz", "om", "pk", "pt", "ro", "ru", "se", "sg", "th", "tr", "tw",
    "ua", "uk", "us",
];

/// First words of the names of packages.
const PACKAGES: [&str; 8] = ["com", "org", "net", "edu", "gov", "io", "dev", "javax"];

/// Endings of program files, after which a number is a line.
const FILES: [&str; 30] = [
    "py", "js", "ts", "tsx", "jsx", "mjs", "go", "rs", "java", "kt", "scala", "cc", "cpp", "cxx", "hpp", "hh", "cs",
    "rb", "php", "pl", "sh", "ex", "exs", "erl", "lua", "swift", "sql", "log", "conf", "yaml",
];

pub(super) fn is_unit(word: &str) -> bool {
    word.len() <= 7 && UNITS.contains(&word)
}

/// Whether a word with digits in it is the name of something, like `sha256`.
pub(super) fn is_named(word: &str) -> bool {
    word.len() <= 7 && NAMED.iter().any(|name| name.eq_ignore_ascii_case(word))
}

/// Whether a word is a host's name: labels parted by dots, the last of them one of the Internet's, the first not
/// (`com.example.Main` is the name of a class). `port`: whether a port follows.
pub(super) fn is_host(word: &str, port: bool) -> bool {
    let Some((rest, last)) = word.rsplit_once('.') else { return false };
    let labels = rest
        .split('.')
        .all(|label| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
    if !labels || (!port && rest.split('.').next().is_some_and(|first| PACKAGES.contains(&first))) {
        return false;
    }
    DOMAINS.iter().any(|d| d.eq_ignore_ascii_case(last))
        || ((port || rest.contains('.')) && COUNTRIES.iter().any(|c| c.eq_ignore_ascii_case(last)))
        || (port
            && rest.contains('.')
            && last.len() >= 2
            && last.bytes().all(|b| b.is_ascii_lowercase())
            && !FILES.contains(&last))
}

pub(super) fn is_month(word: &[u8]) -> bool {
    const MONTHS: [&[u8; 3]; 12] =
        [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];
    MONTHS.iter().any(|month| month.as_slice() == word)
}

pub(super) fn is_weekday(word: &[u8]) -> bool {
    const DAYS: [&[u8; 3]; 7] = [b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"];
    DAYS.iter().any(|day| day.as_slice() == word)
}
