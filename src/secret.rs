//! A byte string that will not print itself.

use std::fmt;

/// The value of a secret. `Debug` and `Display` redact; showing it takes an explicit [`Secret::expose`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Secret(Box<[u8]>);

impl Secret {
    /// Wraps `value`.
    pub fn new(value: impl Into<Box<[u8]>>) -> Self {
        Self(value.into())
    }

    /// The bytes themselves. Callers are matching, hashing, masking and `--show-secrets`; nobody prints it else.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no byte in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

/// What stands where a secret stood. ASCII-only sinks escape it as they escape anything else.
pub const REDACTED: &str = "‹redacted›";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printing_a_secret_redacts_it() {
        let secret = Secret::new(*b"hunter2-hunter2");
        assert!(!format!("{secret} {secret:?} {:?}", Some(&secret)).contains("hunter2"));
        assert_eq!(secret.expose(), b"hunter2-hunter2");
    }
}
