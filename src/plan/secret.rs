//! Whose values are nobody's business: variables and headers, told by their names.
//!
//! Asked wherever something with a name is shown, in reports and in diagnostics. It knows names, not values.

/// What a secret reads instead.
pub const MASK: &str = "***";

/// Whether the value of a header or variable of that name is a secret.
pub fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let words = [
        "authorization",
        "cookie",
        "token",
        "secret",
        "password",
        "passwd",
        "credential",
        "api-key",
        "api_key",
        "apikey",
    ];
    words.iter().any(|word| name.contains(word)) || name.ends_with("-key") || name.ends_with("_key")
}
