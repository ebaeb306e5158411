//! A web server of one folder, with TLS and a certificate of its own, on this machine: real downloads without a network.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use sha2::{Digest as _, Sha256};

use crate::harness::{Workspace, tool};

/// The server; it ends with this value.
pub(super) struct Server {
    child: Child,
    port: String,
    folder: PathBuf,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; either way it is gone.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Starts one; `None` when there is no openssl.
    pub(super) fn start(workspace: &Workspace) -> Option<Self> {
        let openssl = tool("openssl")?;
        let folder = workspace.path("served");
        fs::create_dir_all(&folder).expect("our own folder is writable");
        let made = Command::new(&openssl)
            .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"])
            .args(["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "cert.pem"])
            .current_dir(&folder)
            .output()
            .expect("openssl starts");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let mut child = Command::new(openssl)
            .args(["s_server", "-accept", "127.0.0.1:0", "-key", "key.pem", "-cert", "cert.pem", "-WWW"])
            .current_dir(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("openssl starts");
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let port = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let address = line.strip_prefix("ACCEPT ")?;
            Some(address.rsplit_once(':')?.1.trim().to_owned())
        });
        // What it goes on to print must be read, or it would wait.
        std::thread::spawn(move || lines.map_while(Result::ok).count());
        Some(Self { child, port: port.expect("it says where it listens"), folder })
    }

    /// The certificate that clients must trust.
    pub(super) fn certificate(&self) -> PathBuf {
        self.folder.join("cert.pem")
    }

    /// The link of a file.
    pub(super) fn link(&self, name: &str) -> String {
        format!("https://127.0.0.1:{}/{name}", self.port)
    }

    /// Puts an archive with a program in it there, which notes in `ran` that it ran, and is the program under test. Gives
    /// the archive's digest.
    pub(super) fn offer(&self, name: &str, ran: &Path) -> String {
        use std::os::unix::fs::PermissionsExt as _;
        let inner = self.folder.join("keytrail-0.1.0");
        fs::create_dir_all(&inner).expect("our own folder is writable");
        let program = inner.join("keytrail");
        let text =
            format!("#!/bin/sh\necho ran >>'{}'\nexec '{}' \"$@\"\n", ran.display(), env!("CARGO_BIN_EXE_keytrail"));
        fs::write(&program, text).expect("our own folder is writable");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("it is ours");
        let packed = Command::new("tar")
            .args(["-czf", name, "keytrail-0.1.0"])
            .current_dir(&self.folder)
            .status()
            .expect("tar starts");
        assert!(packed.success());
        let bytes = fs::read(self.folder.join(name)).expect("tar wrote it");
        Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
