//! The server as a process of this rig's own, to be killed and started again.

use std::{net::SocketAddr, path::PathBuf, process::Stdio};

use anyhow::{Context as _, bail};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

/// How the server is started.
#[derive(Clone, Debug)]
pub struct Program {
    /// The program.
    pub path: PathBuf,
    /// Its data directory.
    pub data_dir: PathBuf,
    /// Where it listens; port 0 for one that is free.
    pub listen: SocketAddr,
    /// What else it is told.
    pub flags: Vec<String>,
}

/// A server that was started. It is killed when it is dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    /// Its process id.
    pub id: u32,
}

impl Program {
    /// Starts it and waits until it says where it is.
    ///
    /// # Errors
    /// It cannot be started, or ends at once.
    pub async fn starts(&self) -> anyhow::Result<Running> {
        let mut child = Command::new(&self.path)
            .args(["--listen", &self.listen.to_string(), "--data-dir"])
            .arg(&self.data_dir)
            .args(&self.flags)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{} cannot be started", self.path.display()))?;
        let id = child.id().context("it has ended at once")?;
        let stdout = child.stdout.take().context("it is piped")?;
        let mut lines = BufReader::new(stdout).lines();
        while let Some(line) = lines.next_line().await? {
            if let Some((_, address)) = line.split_once("http://") {
                let address = address.trim_end_matches('/').parse()?;
                return Ok(Running { child, address, id });
            }
        }
        bail!("the server ended at once: {}", child.wait().await?)
    }
}

impl Running {
    /// Kills it (SIGKILL) and waits until it is gone.
    ///
    /// # Errors
    /// It had ended by itself before.
    pub async fn is_killed(mut self) -> anyhow::Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("the server ended by itself: {status}");
        }
        Ok(self.child.kill().await?)
    }
}
