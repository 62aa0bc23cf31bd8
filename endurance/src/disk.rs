//! File systems that can be hurt: one in a file, whose power can be cut, and one in memory, which
//! is small. Both are unmounted when they are dropped.

use std::{
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};

use crate::tool;

/// A copy is tried again so often when something was written meanwhile.
const COPIES_MAX: u32 = 200;
/// Between two such tries.
const COPY_AGAIN: Duration = Duration::from_millis(10);

/// A directory of its own, gone when it is dropped.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// A new one in `scratch`.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn makes(scratch: &Path) -> anyhow::Result<Self> {
        use std::sync::atomic::{AtomicU32, Ordering};
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let nth = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = scratch.join(format!("endurance-{}-{nth}", std::process::id()));
        fs::create_dir_all(&path).with_context(|| format!("{}", path.display()))?;
        Ok(Self(path))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A mounted file system.
#[derive(Debug)]
struct Mount(PathBuf);

impl Mount {
    async fn makes(words: &[&str], at: PathBuf) -> anyhow::Result<Self> {
        fs::create_dir_all(&at)?;
        tool::run("mount", &[words, &[tool::word(&at)?]].concat()).await?;
        Ok(Self(at))
    }

    async fn ends(self) -> anyhow::Result<()> {
        let unmounted = tool::run("umount", &[tool::word(&self.0)?]).await.map(drop);
        if unmounted.is_ok() {
            std::mem::forget(self);
        }
        unmounted
    }
}

impl Drop for Mount {
    /// Lazily: a process that uses it may still be about to end.
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

/// A small file system in memory.
#[derive(Debug)]
pub struct SmallDisk {
    mount: Mount,
}

impl SmallDisk {
    /// One of so many MiB, mounted at `at`.
    ///
    /// # Errors
    /// It cannot be mounted.
    pub async fn makes(at: PathBuf, mib: u32) -> anyhow::Result<Self> {
        let size = format!("size={mib}m");
        let mount = Mount::makes(&["-t", "tmpfs", "-o", &size, "tmpfs"], at).await?;
        Ok(Self { mount })
    }

    /// Where it is mounted.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.mount.0
    }

    /// Takes up all the room that is left.
    ///
    /// # Errors
    /// Something else than a full disk ended the writing.
    pub fn fills(&self) -> anyhow::Result<()> {
        let mut ballast = File::options().create(true).append(true).open(self.ballast())?;
        // Single pages at last: what fits into the rest is to be nothing.
        for size in [1 << 16, 1 << 12] {
            let block = vec![0; size];
            loop {
                match ballast.write_all(&block) {
                    Ok(()) => {}
                    Err(error) if error.kind() == std::io::ErrorKind::StorageFull => break,
                    Err(error) => return Err(error).context("the ballast"),
                }
            }
        }
        Ok(())
    }

    /// Makes room again.
    ///
    /// # Errors
    /// The ballast cannot be removed.
    pub fn makes_room(&self) -> anyhow::Result<()> {
        fs::remove_file(self.ballast()).context("the ballast")
    }

    fn ballast(&self) -> PathBuf {
        self.path().join("ballast")
    }
}

/// A file system in a file (ext4 on a loop device). What was not synced is in the memory of the
/// kernel and not in the file: a copy of the file is what a power cut would leave.
#[derive(Debug)]
pub struct Image {
    file: PathBuf,
    mount: Mount,
}

impl Image {
    /// A new file system of so many MiB in `folder`.
    ///
    /// # Errors
    /// It cannot be made or mounted.
    pub async fn makes(folder: &Path, mib: u64) -> anyhow::Result<Self> {
        let file = folder.join("0.img");
        File::create(&file)?.set_len(mib << 20)?;
        // Nothing is to be written later that nobody asked for.
        let quiet = "lazy_itable_init=0,lazy_journal_init=0";
        tool::run("mkfs.ext4", &["-q", "-F", "-E", quiet, tool::word(&file)?]).await?;
        Self::mounts(file, folder.join("disk")).await
    }

    async fn mounts(file: PathBuf, at: PathBuf) -> anyhow::Result<Self> {
        // The journal is written when somebody syncs, not by a clock in the middle of a copy.
        let options = "loop,noatime,commit=300,errors=remount-ro";
        let words = ["-t", "ext4", "-o", options, tool::word(&file)?];
        let mount = Mount::makes(&words, at).await?;
        Ok(Self { file, mount })
    }

    /// Where it is mounted.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.mount.0
    }

    /// Copies the file while the file system is in use, at a moment at which nothing is written.
    /// Whoever writes to it is to be stopped before.
    ///
    /// # Errors
    /// It cannot be copied, or the writing does not end.
    pub async fn is_copied(&self) -> anyhow::Result<PathBuf> {
        let number: u64 = self.file.file_stem().and_then(|n| n.to_str()?.parse().ok()).unwrap_or(0);
        let copy = self.file.with_file_name(format!("{}.img", number + 1));
        let words = ["--sparse=always", tool::word(&self.file)?, tool::word(&copy)?];
        let device = self.device()?;
        for _ in 0..COPIES_MAX {
            let before = traffic(&device)?;
            tool::run("cp", &words).await?;
            if before.is_still && traffic(&device)? == before {
                return Ok(copy);
            }
            tokio::time::sleep(COPY_AGAIN).await;
        }
        bail!("{device} does not come to rest")
    }

    /// The power comes back: the copy takes the place of the file system.
    ///
    /// # Errors
    /// Somebody still uses the old one, or the copy cannot be mounted.
    pub async fn is_replaced_by(self, copy: PathBuf) -> anyhow::Result<Self> {
        let at = self.mount.0.clone();
        self.mount.ends().await?;
        fs::remove_file(&self.file)?;
        Self::mounts(copy, at).await
    }

    /// The file system finds itself broken, and lets nobody write from here on (Linux:
    /// Documentation/ABI/testing/sysfs-fs-ext4).
    ///
    /// # Errors
    /// It cannot be told so.
    pub fn turns_read_only(&self) -> anyhow::Result<()> {
        let trigger = format!("/sys/fs/ext4/{}/trigger_fs_error", self.device()?);
        fs::write(&trigger, "endurance").with_context(|| trigger.clone())
    }

    /// It is mounted anew, and can be written.
    ///
    /// # Errors
    /// Somebody still uses it, or it cannot be mounted.
    pub async fn is_mounted_again(self) -> anyhow::Result<Self> {
        let (file, at) = (self.file.clone(), self.mount.0.clone());
        self.mount.ends().await?;
        Self::mounts(file, at).await
    }

    /// The name of the loop device.
    fn device(&self) -> anyhow::Result<String> {
        let mounts = fs::read_to_string("/proc/mounts")?;
        let at = tool::word(self.path())?;
        let line = mounts.lines().rfind(|line| line.split(' ').nth(1) == Some(at));
        let device = line.and_then(|line| line.split(' ').next()?.strip_prefix("/dev/"));
        device.map(str::to_owned).with_context(|| format!("{at} is not mounted"))
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Traffic {
    counters: String,
    is_still: bool,
}

/// What was read and written so far (Linux: Documentation/block/stat.rst).
fn traffic(device: &str) -> anyhow::Result<Traffic> {
    const IN_FLIGHT: usize = 8;
    let counters = fs::read_to_string(format!("/sys/block/{device}/stat"))?;
    let is_still = counters.split_whitespace().nth(IN_FLIGHT) == Some("0");
    Ok(Traffic { counters, is_still })
}

/// Whether file systems can be mounted here; if not, why.
///
/// # Errors
/// What is missing.
pub async fn can_mount() -> anyhow::Result<()> {
    ensure!(tool::is_root().await, "only root may mount a file system");
    Ok(())
}

/// Whether images can be mounted here, and whether they lose what was not synced. Without that a
/// power cut would prove nothing.
///
/// # Errors
/// What is missing, or what was kept that should have been lost.
pub async fn can_lose_power(scratch: &Path) -> anyhow::Result<()> {
    const BYTES: usize = 100_000;
    can_mount().await?;
    ensure!(Path::new("/dev/loop-control").exists(), "there are no loop devices");
    tool::needs("mkfs.ext4", "e2fsprogs").await?;
    let folder = Folder::makes(scratch)?;
    let image = Image::makes(folder.path(), 16).await?;
    let (synced, unsynced) = (image.path().join("synced"), image.path().join("unsynced"));
    let mut file = File::create(&synced)?;
    file.write_all(&vec![1; BYTES])?;
    file.sync_all()?;
    File::open(image.path())?.sync_all()?;
    // Both what is new and what was added to a file that was synced.
    fs::write(&unsynced, vec![2; BYTES])?;
    file.write_all(&vec![3; BYTES])?;
    drop(file);
    let copy = image.is_copied().await?;
    let image = image.is_replaced_by(copy).await?;
    let kept = fs::read(&synced).context("what was synced is gone")?;
    ensure!(kept == vec![1; BYTES], "an image keeps {} bytes of {BYTES}", kept.len());
    let is_empty = fs::metadata(&unsynced).is_ok_and(|found| found.len() == 0);
    ensure!(is_empty || !unsynced.exists(), "an image keeps what was not synced");
    image.mount.ends().await
}
