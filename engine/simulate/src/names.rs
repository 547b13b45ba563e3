//! What services, operations and messages are called.

/// Services.
pub const SERVICES: [&str; 40] = [
    "account",
    "address",
    "ads",
    "alert",
    "audit",
    "auth",
    "basket",
    "billing",
    "booking",
    "catalog",
    "checkout",
    "config",
    "coupon",
    "currency",
    "customer",
    "delivery",
    "discount",
    "email",
    "feed",
    "fraud",
    "geo",
    "image",
    "inventory",
    "invoice",
    "ledger",
    "media",
    "notify",
    "order",
    "payment",
    "pricing",
    "profile",
    "quota",
    "recommend",
    "report",
    "review",
    "search",
    "seat",
    "shipping",
    "tax",
    "ticket",
];

/// Databases and caches.
pub const STORES: [&str; 6] = ["postgres", "redis", "mysql", "mongodb", "cassandra", "elasticsearch"];

/// What operations are about.
pub const NOUNS: [&str; 14] = [
    "order", "item", "user", "cart", "price", "session", "route", "stock", "card", "token", "page", "quote", "trip",
    "label",
];

/// What they do.
pub const VERBS: [&str; 10] =
    ["Get", "List", "Create", "Update", "Find", "Check", "Reserve", "Confirm", "Compute", "Validate"];

/// Parts of operations that have spans of their own.
pub const PARTS: [&str; 8] =
    ["validate", "serialize", "render", "load config", "check rights", "build response", "decode", "score"];

/// Ordinary messages.
pub const MESSAGES: [&str; 12] = [
    "# loaded %d for user %u",
    "received # request id=%x from user %u",
    "# %d done in %tms",
    "found %d # rows",
    "cache miss for #:%d, fetching",
    "sending # %x to next stage",
    "# %d updated, version %d",
    "user %u asked for # %d",
    "response sent, %d bytes",
    "validating # %x",
    "using connection %d of pool",
    "quote for # %d is %d.%d EUR",
];

/// Warnings that systems live with.
pub const WARNINGS: [&str; 4] = [
    "slow # lookup took %tms",
    "deprecated field used by user %u",
    "retrying # %d, attempt %d",
    "pool is at %d percent",
];

/// What failures say.
pub const FAILURES: [&str; 8] = [
    "invalid # %d: field missing",
    "# %x not found",
    "permission denied for user %u",
    "conflict: # %d was changed by another",
    "java.lang.NullPointerException at com.shop.#.Service.handle(Service.java:%d)",
    "index %d out of range",
    "cannot parse # %x",
    "could not reserve # %d: out of stock",
];
