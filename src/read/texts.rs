//! Texts of reports that must have a form: bytes written as text, times, ids; and objects that name nothing twice.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};

use super::{ReadErrorKind, quoted};

/// A time that no report can write: what stands where a report has none.
pub(super) const NO_TIME: i64 = i64::MIN;

/// Bytes that a report wrote as text, with their exact form where the text can't tell it.
pub(super) fn bytes(text: &str, exact: Option<&str>) -> Vec<u8> {
    match exact {
        Some(exact) => percent_encoding::percent_decode_str(exact).collect(),
        None => text.as_bytes().to_vec(),
    }
}

/// A time as seconds since 1970, UTC.
pub(super) fn seconds(text: &str) -> Result<i64, ReadErrorKind> {
    let parsed = text.parse::<jiff::Timestamp>();
    parsed.map(|time| time.as_second()).map_err(|_| ReadErrorKind::Value(format!("`{}` is no time", quoted(text))))
}

/// A time that may be absent.
pub(super) fn some_seconds(text: Option<&str>) -> Result<Option<i64>, ReadErrorKind> {
    text.map(seconds).transpose()
}

/// The id of a git object.
pub(super) fn object_id(text: &str) -> Result<String, ReadErrorKind> {
    let is_id = matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_id.then(|| text.to_owned()).ok_or_else(|| ReadErrorKind::Value(format!("`{}` is no object id", quoted(text))))
}

/// The id of a git object that may be absent.
pub(super) fn some_object_id(text: Option<&str>) -> Result<Option<String>, ReadErrorKind> {
    text.map(object_id).transpose()
}

/// A fingerprint.
pub(super) fn fingerprint(text: &str) -> Result<String, ReadErrorKind> {
    let rest = ["v1:", "v1k:", "v1p:"].iter().find_map(|version| text.strip_prefix(version));
    let is_one = rest.is_some_and(|rest| {
        (32..=64).contains(&rest.len()) && rest.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b':')
    });
    is_one
        .then(|| text.to_owned())
        .ok_or_else(|| ReadErrorKind::Value(format!("`{}` is no fingerprint of version 1", quoted(text))))
}

/// A line hash, `hex:count`.
pub(super) fn line_hash(text: &str) -> Result<String, ReadErrorKind> {
    let is_one = text.split_once(':').is_some_and(|(hash, count)| {
        (1..=16).contains(&hash.len())
            && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
            && !count.is_empty()
            && count.bytes().all(|byte| byte.is_ascii_digit())
    });
    is_one.then(|| text.to_owned()).ok_or_else(|| ReadErrorKind::Value(format!("`{}` is no line hash", quoted(text))))
}

/// A file's mode in octal.
pub(super) fn mode(text: Option<&str>) -> Result<u32, ReadErrorKind> {
    let Some(text) = text else { return Ok(0) };
    u32::from_str_radix(text, 8).map_err(|_| ReadErrorKind::Value(format!("`{}` is no file mode", quoted(text))))
}

/// An object whose members are all alike and named once each.
#[derive(Debug)]
pub(super) struct Members<T>(pub(super) BTreeMap<String, T>);

impl<T> Default for Members<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl Members<String> {
    /// As facts and observations hold them.
    pub(super) fn named(self) -> impl Iterator<Item = (Cow<'static, str>, String)> {
        self.0.into_iter().map(|(name, value)| (Cow::Owned(name), value))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Members<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Once(PhantomData))
    }
}

/// Reads [`Members`].
struct Once<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Once<T> {
    type Value = Members<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<T>, A::Error> {
        let mut members = BTreeMap::new();
        while let Some((name, value)) = map.next_entry::<String, T>()? {
            if members.contains_key(&name) {
                return Err(A::Error::custom(format!("duplicate field `{}`", quoted(&name))));
            }
            members.insert(name, value);
        }
        Ok(Members(members))
    }
}
