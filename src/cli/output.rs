//! Where reports go: a regular file through a temporary one and a rename, a device or pipe straight.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// Where one report is written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// Standard output.
    Stdout,
    /// A file, device or pipe.
    File(PathBuf),
}

/// An open target. What is written to a regular file appears, whole and readable by its owner alone, with
/// [`Output::finish`]; dropped before that, the old file stays. A device, a pipe and standard output see the bytes as
/// they come.
#[derive(Debug)]
pub struct Output(BufWriter<Sink>);

/// The kinds of open target.
#[derive(Debug)]
enum Sink {
    /// Standard output.
    Stdout(io::Stdout),
    /// A device or pipe.
    Straight(File),
    /// A regular file in the making, and its name to be.
    Rename(NamedTempFile, PathBuf),
}

impl Target {
    /// Opens the target.
    ///
    /// # Errors
    /// The folder isn't there or can't be written to. Nothing has changed then.
    pub fn open(&self) -> io::Result<Output> {
        let sink = match self {
            Self::Stdout => Sink::Stdout(io::stdout()),
            Self::File(path) => open_file(path)?,
        };
        Ok(Output(BufWriter::new(sink)))
    }
}

/// Opens the file, device or pipe at `path`.
fn open_file(path: &Path) -> io::Result<Sink> {
    match fs::metadata(path) {
        Ok(facts) if facts.is_dir() => Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder")),
        Ok(facts) if !facts.is_file() => Ok(Sink::Straight(OpenOptions::new().write(true).open(path)?)),
        // A link keeps its place: what it leads to is replaced.
        Ok(_) => rename_to(fs::canonicalize(path)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => rename_to(path.to_owned()),
        Err(error) => Err(error),
    }
}

/// A temporary file beside `path` that will take its name. `tempfile` creates it with mode 0600 on Unix; elsewhere the
/// folder's own access rules hold.
fn rename_to(path: PathBuf) -> io::Result<Sink> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let temporary =
        tempfile::Builder::new().prefix(".keytrail-").suffix(".part").tempfile_in(folder).map_err(without_name)?;
    Ok(Sink::Rename(temporary, path))
}

/// The error without the temporary file's name, which means nothing to the user.
fn without_name(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::NotFound => io::Error::new(io::ErrorKind::NotFound, "its folder isn't there"),
        io::ErrorKind::PermissionDenied => {
            io::Error::new(io::ErrorKind::PermissionDenied, "its folder can't be written to: permission denied")
        }
        io::ErrorKind::Other => error,
        kind => kind.into(),
    }
}

impl Output {
    /// Whether it is a regular file in the making.
    #[must_use]
    pub fn is_regular(&self) -> bool {
        matches!(self.0.get_ref(), Sink::Rename(..))
    }

    /// Writes what is buffered and gives a regular file its name.
    ///
    /// # Errors
    /// What writing or renaming gave; a regular file is then as it was before.
    pub fn finish(self) -> io::Result<()> {
        match self.0.into_inner().map_err(io::IntoInnerError::into_error)? {
            Sink::Stdout(mut out) => out.flush(),
            Sink::Straight(mut file) => file.flush(),
            Sink::Rename(temporary, path) => temporary.persist(path).map(drop).map_err(|error| error.error),
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(out) => out.write(bytes),
            Self::Straight(file) => file.write(bytes),
            Self::Rename(file, _) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(out) => out.flush(),
            Self::Straight(file) => file.flush(),
            Self::Rename(file, _) => file.flush(),
        }
    }
}

/// Prints `text` to standard output. A reader that has gone away is no error: it has read what it wanted.
///
/// # Errors
/// Any other trouble with standard output.
pub fn print(text: &str) -> io::Result<()> {
    forgive_closed_pipe(print_all(text))
}

/// Prints `text` to standard output, errors and all.
fn print_all(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Takes a reader that has gone away for success.
///
/// # Errors
/// Every other error that `result` holds.
pub fn forgive_closed_pipe(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing file system fails the test")]
mod tests {
    use super::*;

    #[test]
    fn a_report_appears_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.sarif");
        fs::write(&path, "old").unwrap();
        let target = Target::File(path.clone());

        let mut cut = target.open().unwrap();
        cut.write_all(&vec![b'x'; 100_000]).unwrap();
        drop(cut);
        assert_eq!(fs::read(&path).unwrap(), b"old");

        let mut whole = target.open().unwrap();
        whole.write_all(b"new").unwrap();
        whole.finish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    #[cfg(unix)]
    fn reports_are_their_owners_alone_and_links_stay() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("real"), folder.path().join("link"));
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        symlink(&path, &link).unwrap();
        let mut out = Target::File(link.clone()).open().unwrap();
        out.write_all(b"new").unwrap();
        out.finish().unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    #[cfg(unix)]
    fn devices_are_written_straight() {
        let mut out = Target::File(PathBuf::from("/dev/null")).open().unwrap();
        assert!(matches!(out.0.get_ref(), Sink::Straight(_)));
        out.write_all(b"text").unwrap();
        out.finish().unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }

    #[test]
    fn folders_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Target::File(folder.path().to_owned()).open().is_err());
        assert!(Target::File(folder.path().join("absent").join("x")).open().is_err());
    }

    #[test]
    fn a_closed_pipe_is_no_error() {
        assert!(forgive_closed_pipe(Err(io::ErrorKind::BrokenPipe.into())).is_ok());
        assert!(forgive_closed_pipe(Err(io::ErrorKind::StorageFull.into())).is_err());
    }
}
