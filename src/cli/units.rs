//! Numbers with units as flags, environment and configuration spell them.

use std::time::Duration;

/// Bytes from `10485760`, `10M`, `10MiB` (powers of 1024) or `10MB` (powers of 1000). Case doesn't matter.
///
/// # Errors
/// What is wrong, in one clause.
pub(crate) fn bytes(text: &str) -> Result<u64, String> {
    let (number, unit) = split(text);
    let factor: u64 = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        "t" | "tib" => 1 << 40,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "tb" => 1_000_000_000_000,
        _ => return Err(format!("`{text}` is no size: write a number of bytes, or `10M`, `10MiB`, `10MB`")),
    };
    let count: u64 = number
        .parse()
        .map_err(|_| format!("`{text}` is no size: write a number of bytes, or `10M`, `10MiB`, `10MB`"))?;
    match count.checked_mul(factor) {
        Some(0) => Err("a size of 0 would leave every file out".to_owned()),
        Some(bytes) => Ok(bytes),
        None => Err(format!("`{text}` is too large")),
    }
}

/// A span of time from `90`, `90s`, `5m` or `1h`.
///
/// # Errors
/// What is wrong, in one clause.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = split(text);
    let factor: u64 = match unit.to_ascii_lowercase().as_str() {
        "" | "s" => 1,
        "m" | "min" => 60,
        "h" => 3_600,
        _ => return Err(format!("`{text}` is no span of time: write seconds, or `90s`, `5m`, `1h`")),
    };
    let count: u64 =
        number.parse().map_err(|_| format!("`{text}` is no span of time: write seconds, or `90s`, `5m`, `1h`"))?;
    match count.checked_mul(factor) {
        Some(0) => Err("a deadline of 0 would scan nothing".to_owned()),
        Some(seconds) => Ok(Duration::from_secs(seconds)),
        None => Err(format!("`{text}` is too long")),
    }
}

/// The digits at the start of `text` and what follows them.
fn split(text: &str) -> (&str, &str) {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    (&text[..end], text[end..].trim_start())
}

/// `true` or `false`, or what people write for it in environment variables.
///
/// # Errors
/// What is wrong, in one clause.
pub(crate) fn switch(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "0" | "false" | "no" | "off" => Ok(false),
        _ => Err(format!("`{text}` is neither `true` nor `false`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        let table = [
            ("1", Some(1)),
            ("10m", Some(10 << 20)),
            ("10MiB", Some(10 << 20)),
            ("10 MB", Some(10_000_000)),
            ("2G", Some(2 << 30)),
            ("1tb", Some(1_000_000_000_000)),
            ("", None),
            ("M", None),
            ("0", None),
            ("-1", None),
            ("1.5M", None),
            ("10X", None),
            ("99999999999999999999", None),
            ("18446744073709551615K", None),
        ];
        for (text, expected) in table {
            assert_eq!(bytes(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn spans_of_time_have_units() {
        let table = [
            ("90", Some(90)),
            ("5m", Some(300)),
            ("1h", Some(3600)),
            ("0s", None),
            ("1d", None),
            ("m", None),
            ("", None),
        ];
        for (text, expected) in table {
            assert_eq!(duration(text).ok(), expected.map(Duration::from_secs), "{text}");
        }
    }
}
