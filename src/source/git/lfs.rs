//! Git LFS pointers: small blobs that stand for a file kept elsewhere. That file is what the path holds.
//!
//! Source: <https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md>, read 2026-11.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use sha2::{Digest, Sha256};

use super::repo::{OBJECT_LIMIT, Repository};
use crate::blob::{Blob, ContentId, Window};
use crate::location::{Position, Span, advance};
use crate::source::{UnreadKind, Visitor};

/// Pointer files are smaller than this, in bytes (specification, "The Pointer").
pub(super) const POINTER_LIMIT: usize = 1024;

/// Objects up to this size, in bytes, are handed out in one piece; larger ones in windows of it.
const WINDOW: usize = 64 << 20;

/// Context on either side of a window's own bytes, in bytes: no secret is longer.
const OVERLAP: usize = 1 << 20;

/// What a pointer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pointer {
    /// SHA-256 of the content, lower-case hex.
    pub(super) oid: String,
    /// Size of the content in bytes.
    pub(super) size: u64,
}

/// Reads a blob as a pointer, if it is one.
pub(super) fn pointer(blob: &[u8]) -> Option<Pointer> {
    if blob.len() >= POINTER_LIMIT {
        return None;
    }
    let text = std::str::from_utf8(blob).ok()?;
    let version = text.lines().next()?.strip_prefix("version ")?;
    let known = ["https://git-lfs.github.com/spec/v1", "https://hawser.github.com/spec/v1", "http://git-media.io/v/2"];
    if !known.contains(&version) {
        return None;
    }
    let value = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' '));
    let oid = value("oid")?.strip_prefix("sha256:")?;
    let hex = oid.len() == 64 && oid.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    hex.then_some(Pointer { oid: oid.to_owned(), size: value("size")?.parse().ok()? })
}

/// Why the content of a pointer was not scanned.
pub(super) type Failure = (UnreadKind, String);

/// Hands the content that `pointer` names to `visitor` as `id`. It is hashed before the first byte is handed out:
/// what merely lies at the right path may be a link to anything.
pub(super) fn visit<V: Visitor>(
    repository: &Repository,
    pointer: &Pointer,
    id: ContentId,
    visitor: &V,
) -> Result<(), Failure> {
    let Some(path) = stored(repository, pointer) else {
        let oid = &pointer.oid;
        return Err((
            UnreadKind::LfsAbsent,
            format!("Git LFS object {oid} is not here (`git lfs fetch --all` brings it)"),
        ));
    };
    let fail = |error: std::io::Error| (UnreadKind::Io, format!("Git LFS object {}: {error}", pointer.oid));
    check(&path, pointer)?;
    let mut file = File::open(&path).map_err(fail)?;
    if pointer.size <= WINDOW as u64 {
        let mut bytes = Vec::new();
        file.take(WINDOW as u64).read_to_end(&mut bytes).map_err(fail)?;
        visitor.visit(None, Blob::whole(id, &bytes));
        return Ok(());
    }
    windows(&mut file, id, visitor, (WINDOW, OVERLAP)).map_err(fail)
}

/// The content that `pointer` names, whole, for the old side of a change.
pub(super) fn read(repository: &Repository, pointer: &Pointer) -> Result<Vec<u8>, Failure> {
    let oid = &pointer.oid;
    let Some(path) = stored(repository, pointer) else {
        let detail = format!("Git LFS object {oid} is not here (`git lfs fetch --all` brings it)");
        return Err((UnreadKind::LfsAbsent, detail));
    };
    if pointer.size > OBJECT_LIMIT as u64 {
        let detail = format!("Git LFS object {oid}: {} bytes are more than the {OBJECT_LIMIT} we read", pointer.size);
        return Err((UnreadKind::Limit, detail));
    }
    check(&path, pointer)?;
    std::fs::read(&path).map_err(|error| (UnreadKind::Io, format!("Git LFS object {oid}: {error}")))
}

/// Where the content of a pointer is, in this repository or one that shares its objects.
fn stored(repository: &Repository, pointer: &Pointer) -> Option<PathBuf> {
    let below = PathBuf::from("lfs/objects").join(&pointer.oid[..2]).join(&pointer.oid[2..4]).join(&pointer.oid);
    let homes = repository.object_folders().filter_map(|folder| folder.parent());
    let mut paths = std::iter::once(repository.common_dir()).chain(homes).map(|home| home.join(&below));
    paths.find(|path| path.symlink_metadata().is_ok_and(|metadata| metadata.is_file()))
}

/// Checks size and hash.
fn check(path: &std::path::Path, pointer: &Pointer) -> Result<(), Failure> {
    let fail = |error: std::io::Error| (UnreadKind::Io, format!("Git LFS object {}: {error}", pointer.oid));
    let mut file = File::open(path).map_err(fail)?;
    let size = file.metadata().map_err(fail)?.len();
    let damaged = |what: String| {
        let detail = format!("Git LFS object {}: {what} (`git lfs fsck` tells more)", pointer.oid);
        Err((UnreadKind::Corrupt, detail))
    };
    if size != pointer.size {
        return damaged(format!("{size} bytes where its pointer says {}", pointer.size));
    }
    let mut hash = Sha256::new();
    let mut buf = vec![0; 1 << 16];
    loop {
        match file.read(&mut buf).map_err(fail)? {
            0 => break,
            n => hash.update(&buf[..n]),
        }
    }
    let actual: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    if actual == pointer.oid { Ok(()) } else { damaged("its bytes have another hash".to_owned()) }
}

/// Hands out a large file in overlapping windows of `window` own bytes, with `overlap` bytes of context either side.
fn windows<V: Visitor>(
    file: &mut impl Read,
    id: ContentId,
    visitor: &V,
    (window, overlap): (usize, usize),
) -> std::io::Result<()> {
    let mut buf: Vec<u8> = Vec::new();
    let (mut offset, mut origin, mut before) = (0_u64, Position::START, 0_usize);
    loop {
        let wanted = window + overlap - buf.len();
        let read = file.by_ref().take(wanted as u64).read_to_end(&mut buf)?;
        let last = read < wanted;
        let own = Span::new(before, if last { buf.len() } else { buf.len() - overlap });
        visitor.visit(None, Blob { window: Window { offset, origin, own, whole: false }, ..Blob::whole(id, &buf) });
        if last {
            return Ok(());
        }
        let drop = own.end - overlap;
        origin = advance(origin, &buf[..drop]);
        offset += drop as u64;
        buf.drain(..drop);
        before = overlap;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_are_told_from_texts() {
        let oid = "4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393";
        let good = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize 12345\n");
        assert_eq!(pointer(good.as_bytes()), Some(Pointer { oid: oid.into(), size: 12345 }));
        let cases = [
            good.replace("v1", "v9"),
            good.replace("sha256", "sha1"),
            good.replace("4d7a", "../."),
            good.replace("4d7a", "4D7A"),
            good.replace("12345", "many"),
            format!("{good}{}", "x".repeat(POINTER_LIMIT)),
            String::new(),
        ];
        for odd in cases {
            assert_eq!(pointer(odd.as_bytes()), None, "{odd}");
        }
    }

    /// Writes down what each window owns, and checks that it is where the window says.
    struct Owned<'t> {
        whole: &'t [u8],
        seen: std::sync::Mutex<Vec<u8>>,
    }

    impl Visitor for Owned<'_> {
        type State = ();

        fn visit(&self, _: Option<(&(), &crate::blob::Edits)>, blob: Blob<'_>) {
            let Window { offset, origin, own, whole } = blob.window;
            let at = usize::try_from(offset).expect("a test's file fits in memory");
            assert!(!whole);
            assert_eq!(blob.bytes, &self.whole[at..at + blob.bytes.len()]);
            assert_eq!(origin, advance(Position::START, &self.whole[..at]));
            let mut seen = self.seen.lock().expect("nobody panicked");
            assert_eq!(at + own.start, seen.len(), "windows own what follows the last one's");
            assert!(at == 0 || own.start == 4, "context before");
            seen.extend(&blob.bytes[own.start..own.end]);
        }

        fn unread(&self, _: crate::source::Unread) {}
        fn excluded(&self, _: crate::source::Excluded, _: u64) {}
        fn listed(&self, _: crate::source::Listed) {}
        fn observe(&self, _: crate::observe::Observation) {}
        fn note(&self, _: String) {}
    }

    #[test]
    fn windows_own_every_byte_once_with_context_around() {
        let text: Vec<u8> = b"ab\ncde\nfghij\n".iter().copied().cycle().take(300).collect();
        for len in [21, 30, 34, 35, 40, 41, 100, 299, 300] {
            let whole = &text[..len];
            let owned = Owned { whole, seen: std::sync::Mutex::default() };
            windows(&mut &whole[..], ContentId::Serial(0), &owned, (20, 4)).expect("memory can be read");
            assert_eq!(owned.seen.into_inner().expect("nobody panicked"), whole, "{len} bytes");
        }
    }
}
