//! Builds the torture repository: one unique secret in each of 26 places, with what git itself says of each.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::sync::OnceLock;

use crate::harness::{Repo, Token, Workspace, text_position};

/// How many places the repository hides a secret in.
pub(crate) const PLACES: usize = 26;

/// One hidden secret and where a report must say that it is.
pub(crate) struct Hide {
    /// The secret.
    pub(crate) token: Token,
    /// Path in the repository; empty where there is none. A secret in it may stand masked in reports.
    pub(crate) path: String,
    /// Which part of the thing at the path.
    pub(crate) part: &'static str,
    /// The first commit that holds it.
    pub(crate) commit: Option<String>,
    /// The last commit that holds it, where that isn't a tip.
    pub(crate) last: Option<String>,
    /// How alive the place is, where there is only one way to see it.
    pub(crate) state: Option<&'static str>,
    /// The ref that leads to it, where the commit doesn't say enough.
    pub(crate) reference: Option<&'static str>,
    /// Line and column, recomputed from the fixture's text.
    pub(crate) position: Option<(u64, u64)>,
    /// The object that holds it.
    pub(crate) object: String,
}

/// The repository and what it hides.
pub(crate) struct Torture {
    /// The working repository. Tests that change it make a copy.
    pub(crate) repo: Repo,
    /// What it hides.
    pub(crate) hides: Vec<Hide>,
    /// Keeps the folder.
    _workspace: Workspace,
}

/// The repository, built once; `None` when there is no git.
pub(crate) fn torture() -> Option<&'static Torture> {
    static BUILT: OnceLock<Option<Torture>> = OnceLock::new();
    crate::harness::tool("git")?;
    BUILT.get_or_init(build).as_ref()
}

/// Builds it.
fn build() -> Option<Torture> {
    let workspace = Workspace::new();
    let mut builder = Builder { repo: workspace.repo("torture")?, hides: Vec::new() };
    builder.start();
    builder.files();
    builder.odd_contents();
    builder.links();
    builder.branches();
    builder.texts();
    builder.two_commits();
    builder.out_of_sight();
    builder.confirm();
    Some(Torture { repo: builder.repo, hides: builder.hides, _workspace: workspace })
}

struct Builder {
    repo: Repo,
    hides: Vec<Hide>,
}

/// UTF-16, little end first.
fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

impl Builder {
    /// Files without secrets, to have a past.
    fn start(&mut self) {
        self.repo.write("readme.txt", "A place to hide things in.\n");
        self.repo.write(".gitattributes", "*.opaque -diff\n");
        #[cfg(unix)]
        std::os::unix::fs::symlink("readme.txt", self.repo.path().join("conf")).expect("our own folder is writable");
        self.repo.commit("Begin");
    }

    /// Commits a file that holds the token, as `content` writes it, and notes all about it.
    fn hide(&mut self, label: &str, path: &str, content: impl Fn(&Token) -> Vec<u8>) -> &mut Hide {
        let token = Token::new(&format!("torture, {label}"));
        let bytes = content(&token);
        self.repo.write(path, &bytes);
        let commit = self.repo.commit(&format!("Change for {label}"));
        let hide = Hide {
            path: path.to_owned(),
            part: "content",
            state: Some("default tip"),
            reference: None,
            last: None,
            position: bytes
                .windows(token.text().len())
                .any(|window| window == token.text().as_bytes())
                .then(|| text_position(&bytes, token.text().as_bytes())),
            object: self.repo.id(&format!("{commit}:{path}")),
            commit: Some(commit),
            token,
        };
        self.note(hide)
    }

    /// Adds a place.
    fn note(&mut self, hide: Hide) -> &mut Hide {
        self.hides.push(hide);
        self.hides.last_mut().expect("it was just pushed")
    }

    /// Ordinary files in more or less ordinary places.
    fn files(&mut self) {
        let prose =
            |token: &Token| format!("import os\n\n# réglage\nclient.connect(\"{}\")\n", token.text()).into_bytes();
        self.hide("plain file", "src/deploy.py", prose);
        let hide = self.hide("file deleted later", "old/settings.txt", prose);
        (hide.state, hide.last) = (Some("history only"), hide.commit.clone());
        self.repo.remove("old/settings.txt");
        self.repo.commit("Tidy");
        self.hide("node_modules", "node_modules/left-pad/index.js", prose);
        self.hide("lock file", "package-lock.json", |token| {
            format!("{{\n  \"resolved\": \"https://npm.keytrail.invalid/left-pad?t={}\"\n}}\n", token.text()).into()
        });
        self.hide("path with a space and an umlaut", "docs/mein schlüssel.txt", prose);
        self.hide("2 MB line", "dist/bundle.min.js", |token| {
            let filler = "a=b;".repeat(1 << 18);
            format!("{filler}f(\"{}\");{filler}\n", token.text()).into()
        });
    }

    /// Contents that tools take for something they needn't read.
    fn odd_contents(&mut self) {
        let text = |token: &Token| format!("first line\r\nsecond, with ü: {} \r\n", token.text());
        let position = |token: &Token| Some(text_position(text(token).as_bytes(), token.text().as_bytes()));
        let hide = self
            .hide("utf-16 with mark", "win/report.txt", |token| [b"\xff\xfe".to_vec(), utf16(&text(token))].concat());
        hide.position = position(&hide.token);
        let hide = self.hide("utf-16 without mark", "win/export.txt", |token| utf16(&text(token)));
        hide.position = position(&hide.token);
        self.hide("binary", "bin/tool", |token| {
            let padding: Vec<u8> = (0..=255).cycle().take(4096).collect();
            [b"\x7fELF\x02\x01\x01\0", &padding[..], b"\0\0", token.text().as_bytes(), b"\0\0", &padding[..]].concat()
        });
        self.hide("-diff attribute", "payload.opaque", |token| token.line().into());
        self.hide("text named .png", "img/logo.png", |token| token.line().into());
    }

    /// Symbolic links and what becomes of them.
    fn links(&mut self) {
        self.repo.remove("conf");
        self.hide("symlink replaced by a file", "conf", |token| token.line().into());
        let token = Token::new("torture, symlink target");
        let target = format!("/srv/{}/data", token.text());
        #[cfg(unix)]
        std::os::unix::fs::symlink(&target, self.repo.path().join("current")).expect("our own folder is writable");
        let commit = self.repo.commit("Point somewhere");
        self.note(Hide {
            path: "current".into(),
            part: "link target",
            state: Some("default tip"),
            reference: None,
            last: None,
            position: Some(text_position(target.as_bytes(), token.text().as_bytes())),
            object: self.repo.id(&format!("{commit}:current")),
            commit: Some(commit),
            token,
        });
    }

    /// Commits beside the main line.
    fn branches(&mut self) {
        self.repo.git(["switch", "--quiet", "--create", "side"]);
        self.hide("another branch", "side/notes.txt", |token| token.line().into()).state = Some("tip");
        self.repo.git(["switch", "--quiet", "--detach", "main"]);
        self.hide("ref under refs/pull", "pull/change.c", |token| token.line().into()).state = Some("tip");
        self.repo.git(["update-ref", "refs/pull/7/head", "HEAD"]);

        self.repo.git(["switch", "--quiet", "--create", "topic", "main"]);
        self.repo.commit_file("topic.txt", "one side\n");
        self.repo.git(["switch", "--quiet", "main"]);
        self.repo.commit_file("main.txt", "other side\n");
        self.repo.git(["merge", "--quiet", "--no-ff", "--no-commit", "topic"]);
        self.hide("merge commit's own change", "merged.txt", |token| token.line().into());
        assert!(self.repo.id_if_any("HEAD^2").is_some(), "the merge has two parents");
        self.repo.git(["branch", "--quiet", "--delete", "topic"]);
    }

    /// Texts that are no files.
    fn texts(&mut self) {
        let new = |label: &str| Token::new(&format!("torture, {label}"));
        let (message, author, tag, note, name) =
            (new("commit message"), new("author name"), new("tag message"), new("note"), new("path name"));
        let text = format!("Deploy\n\nUsed {} for it.", message.text());
        let id = self.repo.commit_index(&text);
        self.text_hide(message, "commit message", id.clone(), Some(id));

        let words = ["commit", "--quiet", "--allow-empty", "--message", "Signed off"];
        self.repo.git_with(words, &[("GIT_AUTHOR_NAME", OsStr::new(&format!("Ada {}", author.text())))], b"");
        let id = self.repo.id("HEAD");
        self.text_hide(author, "commit author", id.clone(), Some(id));

        self.repo.git(["tag", "--annotate", "v1", "--message", &format!("First\n\nKey: {}", tag.text())]);
        let id = self.repo.id("v1");
        self.text_hide(tag, "tag", id, None).reference = Some("refs/tags/v1");

        self.repo.git(["notes", "add", "--message", &format!("reviewed with {}", note.text())]);
        let path = self.repo.git(["ls-tree", "-r", "--name-only", "refs/notes/commits"]);
        let (id, object) = (self.repo.id("refs/notes/commits"), self.repo.id(&format!("refs/notes/commits:{path}")));
        let hide = self.text_hide(note, "note", object, Some(id));
        (hide.path, hide.reference) = (path, Some("refs/notes/commits"));

        let path = format!("drop/{}.txt", name.text());
        let commit = self.repo.commit_file(&path, "nothing in here\n");
        let object = self.repo.id(&format!("{commit}:drop"));
        let hide = self.text_hide(name, "path name", object, Some(commit));
        (hide.path, hide.state) = (path, Some("default tip"));
    }

    /// Notes a secret in a text that is no file's content.
    fn text_hide(&mut self, token: Token, part: &'static str, object: String, commit: Option<String>) -> &mut Hide {
        let path = String::new();
        self.note(Hide { token, path, part, commit, last: None, state: None, reference: None, position: None, object })
    }

    /// A key of which one commit brings the first half and another the rest.
    fn two_commits(&mut self) {
        let token = Token::new("torture, completed over two commits");
        self.repo.commit_file("half.txt", format!("see {}", &token.text()[..20]));
        self.hide("completed over two commits", "half.txt", |token| format!("see {}\n", token.text()).into());
    }

    /// What no branch leads to.
    fn out_of_sight(&mut self) {
        let (tracked, untracked) = (Token::new("torture, stash, tracked"), Token::new("torture, stash, untracked"));
        self.repo.write("main.txt", tracked.line());
        self.repo.write("scratch/todo.txt", untracked.line());
        self.repo.git(["stash", "push", "--quiet", "--include-untracked"]);
        for (token, revision, path) in
            [(tracked, "refs/stash", "main.txt"), (untracked, "refs/stash^3", "scratch/todo.txt")]
        {
            let position = Some(text_position(token.line().as_bytes(), token.text().as_bytes()));
            let (commit, object) = (self.repo.id(revision), self.repo.id(&format!("{revision}:{path}")));
            let hide = self.text_hide(token, "content", object, Some(commit));
            (hide.path, hide.position, hide.reference) = (path.to_owned(), position, Some("refs/stash"));
        }

        self.hide("commit only in the reflog", "lost.txt", |token| token.line().into()).state = Some("history only");
        self.repo.git(["reset", "--quiet", "--hard", "HEAD~1"]);

        let token = Token::new("torture, unreachable blob");
        let object = self.repo.blob(token.line().as_bytes());
        let hide = self.text_hide(token, "content", object, None);
        (hide.state, hide.position) = (Some("unreachable"), Some((1, 13)));
    }

    /// Lets git confirm each place: the commit holds that object there and its parents don't.
    fn confirm(&self) {
        assert_eq!(self.hides.len(), PLACES, "places");
        let labels: BTreeSet<&str> = self.hides.iter().map(|hide| hide.token.label()).collect();
        assert_eq!(labels.len(), PLACES, "each has a secret of its own");
        for hide in &self.hides {
            let raw = self.repo.try_git(&["cat-file", "-p", &hide.object], &[], b"").stdout;
            let (plain, wide) = (hide.token.text().as_bytes(), utf16(hide.token.text()));
            let holds = [plain, &wide].iter().any(|form| raw.windows(form.len()).any(|window| window == *form));
            assert!(holds, "the object of {:?} holds it", hide.token);
            let Some(commit) = hide.commit.as_deref().filter(|_| !hide.path.is_empty()) else { continue };
            let at = |revision: &str| self.repo.id_if_any(&format!("{revision}:{}", hide.path));
            if hide.part != "path name" {
                assert_eq!(at(commit), Some(hide.object.clone()), "{:?}", hide.token);
            }
            for parent in self.repo.git(["rev-parse", &format!("{commit}^@")]).lines() {
                assert_ne!(at(parent), at(commit), "{:?} is new in its commit", hide.token);
            }
        }
    }
}
