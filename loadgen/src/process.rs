//! What Linux tells of a process.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context as _, bail};

/// Ticks of a second in which Linux counts a process's time (`USER_HZ`, fixed for programs).
const TICKS_PER_SECOND: f64 = 100.0;
/// How long a process is looked at to see whether it works.
const REST_LOOK: Duration = Duration::from_millis(500);
/// Seconds of a core that a process which has nothing to do may use in that time: two ticks.
const REST_CPU_SECONDS: f64 = 0.02;
/// A process that works after so many looks does not come to rest.
const REST_LOOKS_MAX: usize = 240;

/// A process by its id.
#[derive(Clone, Copy, Debug)]
pub struct Process(pub u32);

impl Process {
    /// Its resident memory: `VmRSS`.
    ///
    /// # Errors
    /// There is no such process.
    pub fn resident_bytes(self) -> anyhow::Result<u64> {
        self.status_bytes("VmRSS:")
    }

    /// What of it no file stands behind: `RssAnon`.
    ///
    /// # Errors
    /// There is no such process.
    pub fn anonymous_bytes(self) -> anyhow::Result<u64> {
        self.status_bytes("RssAnon:")
    }

    fn status_bytes(self, field: &str) -> anyhow::Result<u64> {
        let status = self.read("status")?;
        let line = status.lines().find_map(|line| line.strip_prefix(field));
        let kib = line.and_then(|line| line.split_whitespace().next()).context("no such field")?;
        Ok(kib.parse::<u64>()? * 1024)
    }

    /// Seconds of a core that it has used: `utime` and `stime`, proc(5).
    ///
    /// # Errors
    /// There is no such process.
    pub fn cpu_seconds(self) -> anyhow::Result<f64> {
        cpu_seconds(&self.read("stat")?)
    }

    /// Seconds of a core that the calling thread has used.
    ///
    /// # Errors
    /// The system does not tell.
    pub fn own_thread_cpu_seconds() -> anyhow::Result<f64> {
        cpu_seconds(&std::fs::read_to_string("/proc/thread-self/stat")?)
    }

    /// Waits until it has nothing more to do.
    ///
    /// # Errors
    /// It does not come to rest within two minutes, or there is no such process.
    pub async fn rests(self) -> anyhow::Result<()> {
        for _ in 0..REST_LOOKS_MAX {
            let before = self.cpu_seconds()?;
            tokio::time::sleep(REST_LOOK).await;
            if self.cpu_seconds()? - before <= REST_CPU_SECONDS {
                return Ok(());
            }
        }
        bail!("the server does not come to rest")
    }

    fn read(self, file: &str) -> anyhow::Result<String> {
        let path = PathBuf::from(format!("/proc/{}/{file}", self.0));
        std::fs::read_to_string(&path).with_context(|| format!("{}", path.display()))
    }
}

fn cpu_seconds(stat: &str) -> anyhow::Result<f64> {
    // The name may hold anything but ends with the last bracket.
    let fields = stat.rsplit_once(')').context("no name")?.1.split_whitespace();
    let ticks: Vec<u64> = fields.skip(11).take(2).map(str::parse).collect::<Result<_, _>>()?;
    Ok(ticks.iter().sum::<u64>() as f64 / TICKS_PER_SECOND)
}
