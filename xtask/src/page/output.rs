//! The folder that a server serves: files with their digest in the name, each also in brotli.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use super::Files;

/// What belongs into the folder.
#[derive(Default)]
pub(super) struct Output(Files);

impl Output {
    /// A file whose name people or other files know.
    pub(super) fn add(&mut self, name: impl Into<String>, bytes: Vec<u8>) {
        self.0.insert(name.into(), bytes);
    }

    /// A file that a browser may keep for ever, since its name changes with its content.
    /// Returns that name.
    pub(super) fn add_hashed(&mut self, source: &Path, bytes: Vec<u8>) -> Result<String> {
        let file = file_name(source)?;
        let (stem, extension) = file.rsplit_once('.').unwrap_or((file, ""));
        // The place of the mark is wasm-bindgen's and trunk's: `frontend-<digest>_bg.wasm`.
        let (stem, tail) = match stem.strip_suffix("_bg") {
            Some(stem) => (stem, "_bg"),
            None => (stem, ""),
        };
        let name = format!("{stem}-{}{tail}.{extension}", digest(&bytes));
        self.add(name.as_str(), bytes);
        Ok(name)
    }

    /// Makes the folder hold these files and no others. One that is there already stays untouched.
    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        for (name, bytes) in &self.0 {
            let path = folder.join(name);
            let compressed = compressed(&path);
            if compressed.is_file() && fs::read(&path).is_ok_and(|there| there == *bytes) {
                continue;
            }
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            // The plain file comes last: where it is, the other is complete.
            fs::write(&compressed, brotli(bytes)?).with_context(|| cannot_write(&compressed))?;
            fs::write(&path, bytes).with_context(|| cannot_write(&path))?;
        }
        self.sweep(folder, "")
    }

    fn sweep(&self, folder: &Path, prefix: &str) -> Result<()> {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = format!("{prefix}{}", file_name(&path)?);
            if path.is_dir() {
                let inside = format!("{name}/");
                if self.0.keys().any(|kept| kept.starts_with(&inside)) {
                    self.sweep(&path, &inside)?;
                } else {
                    fs::remove_dir_all(&path)?;
                }
            } else if !self.0.contains_key(name.strip_suffix(".br").unwrap_or(&name)) {
                fs::remove_file(&path)?;
            }
        }
        Ok(())
    }
}

/// Twelve hexadecimal digits that stand for the content. Nobody gains from forging one: the name
/// only has to change with the bytes (FNV-1a, 64 bits; Fowler, Noll and Vo).
pub(super) fn digest(bytes: &[u8]) -> String {
    let fnv = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    format!("{:016x}", bytes.iter().fold(0xcbf2_9ce4_8422_2325, fnv))
}

/// The last part of a path as text.
pub(super) fn file_name(path: &Path) -> Result<&str> {
    path.file_name()
        .and_then(|name| name.to_str())
        .with_context(|| format!("{} does not end in a file's name", path.display()))
}

/// Brotli at its best: the page is compressed once and loaded often.
pub(crate) fn brotli(bytes: &[u8]) -> Result<Vec<u8>> {
    const BUFFER_BYTES: usize = 64 * 1024;
    const QUALITY: u32 = 11;
    const WINDOW_BITS: u32 = 22;
    let mut writer = brotli::CompressorWriter::new(Vec::new(), BUFFER_BYTES, QUALITY, WINDOW_BITS);
    writer.write_all(bytes)?;
    Ok(writer.into_inner())
}

fn compressed(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".br");
    name.into()
}

fn cannot_write(path: &Path) -> String {
    format!("cannot write {}", path.display())
}
