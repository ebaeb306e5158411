//! Excludes: how the globs of `--exclude`, of the configuration and of a host's `paths-ignore` are read.

use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};

/// A glob that can't be read.
#[derive(Debug, thiserror::Error)]
#[error("glob `{glob}`: {reason}")]
pub struct BadGlob {
    /// As the user wrote it.
    pub glob: String,
    /// What is wrong with it.
    pub reason: String,
}

/// Collects globs into the set that [`super::Policy::new`] takes.
#[derive(Clone, Debug, Default)]
pub struct Excludes {
    /// What has been added so far.
    globs: Vec<Glob>,
}

impl Excludes {
    /// Adds a glob of `--exclude` or the configuration. As in a gitignore file, a glob without a slash (but at its
    /// end) names a file or directory at any depth, one with a slash is anchored at the scan root; `*` and `?` (one byte)
    /// don't cross a slash, `**` does; a directory takes everything below it along.
    ///
    /// # Errors
    /// [`BadGlob`]; nothing is added then.
    pub fn add(&mut self, glob: &str) -> Result<(), BadGlob> {
        let core = glob.trim_end_matches('/');
        let anchored = core.contains('/');
        let core = core.trim_start_matches('/');
        if core.is_empty() {
            return Err(BadGlob { glob: glob.to_owned(), reason: "it would exclude everything".to_owned() });
        }
        let at_any_depth = if anchored { "" } else { "**/" };
        let added = [parse(&format!("{at_any_depth}{core}"), glob)?, parse(&format!("{at_any_depth}{core}/**"), glob)?];
        self.globs.extend(added);
        Ok(())
    }

    /// Adds a glob of `paths-ignore` in `.github/secret_scanning.yml`: always from the root, `*` stays within a
    /// component, a directory is not implied.
    /// Source: <https://docs.github.com/en/code-security/secret-scanning/using-advanced-secret-scanning-and-push-protection-features/excluding-folders-and-files-from-secret-scanning>,
    /// read 2026-11.
    ///
    /// # Errors
    /// [`BadGlob`]; nothing is added then.
    pub fn add_paths_ignore(&mut self, glob: &str) -> Result<(), BadGlob> {
        self.globs.push(parse(glob.trim_start_matches('/'), glob)?);
        Ok(())
    }

    /// The set.
    ///
    /// # Errors
    /// All globs together are too large to match at once.
    pub fn build(&self) -> Result<GlobSet, BadGlob> {
        let mut set = GlobSetBuilder::new();
        for glob in &self.globs {
            set.add(glob.clone());
        }
        set.build().map_err(|error| BadGlob { glob: "excludes".to_owned(), reason: error.to_string() })
    }
}

/// Parses `glob`; errors speak of `spelled`, which is what the user wrote.
fn parse(glob: &str, spelled: &str) -> Result<Glob, BadGlob> {
    GlobBuilder::new(glob)
        .literal_separator(true)
        .backslash_escape(true)
        .build()
        .map_err(|error| BadGlob { glob: spelled.to_owned(), reason: error.kind().to_string() })
}

#[cfg(test)]
mod tests {
    use super::Excludes;

    #[test]
    fn excludes_read_like_a_gitignore_file() {
        let table: [(&str, &[u8], bool); 17] = [
            ("vendor", b"vendor", true),
            ("vendor", b"vendor/a/b.rs", true),
            ("vendor", b"src/vendor/a", true),
            ("vendor/", b"src/vendor/a", true),
            ("vendor", b"src/vendors/a", false),
            ("/vendor", b"vendor/a", true),
            ("/vendor", b"src/vendor/a", false),
            ("docs/*.md", b"docs/a.md", true),
            ("docs/*.md", b"docs/sub/a.md", false),
            ("docs/**/*.md", b"docs/sub/a.md", true),
            ("docs/**/*.md", b"docs/a.md", true),
            ("*.lock", b"a/b/Cargo.lock", true),
            ("*.lock", b"a/b/Cargo.lockfile", false),
            ("*.bin", b"a/\xff\xfe.bin", true),
            ("caf?", b"cafe/x", true),
            ("caf?", b"caf/e", false),
            ("a\\*b", b"a*b", true),
        ];
        for (glob, path, expected) in table {
            let mut excludes = Excludes::default();
            excludes.add(glob).expect("the glob is well-formed");
            let set = excludes.build().expect("one glob is not too large");
            let got = set.is_match_candidate(&globset::Candidate::from_bytes(path));
            assert_eq!(got, expected, "{glob} on {}", String::from_utf8_lossy(path));
        }
    }

    #[test]
    fn what_excludes_everything_or_does_not_parse_is_refused() {
        for glob in ["", "/", "a[", "{a"] {
            let error = Excludes::default().add(glob).expect_err("it can't be meant").to_string();
            assert!(error.starts_with(&format!("glob `{glob}`: ")), "{error}");
        }
    }

    #[test]
    fn a_hosts_paths_ignore_starts_at_the_root() {
        let mut excludes = Excludes::default();
        excludes.add_paths_ignore("docs/**").expect("well-formed");
        excludes.add_paths_ignore("foo/bar/*.js").expect("well-formed");
        let set = excludes.build().expect("small");
        for (path, expected) in
            [("docs/a/b", true), ("x/docs/a", false), ("foo/bar/a.js", true), ("foo/bar/c/a.js", false)]
        {
            assert_eq!(set.is_match(path), expected, "{path}");
        }
    }
}
