//! How much a browser loads before the page can be used.

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};

/// HTML, script, style and WebAssembly together, in brotli.
///
/// What the page can do sets it: rooms and history, editing and reacting, proofs that nothing is
/// missing, read markers, search, keys. Less than 1 KiB of it is left.
const FIRST_LOAD_BYTES_MAX: u64 = 151 * 1024;

/// Prints the weight of a built page and refuses one that is too heavy.
pub(crate) fn check(folder: &Path) -> Result<()> {
    let parts = parts(folder)?;
    for (name, bytes) in &parts {
        eprintln!("{:>8.1} KiB  {name}", kib(*bytes));
    }
    let total: u64 = parts.iter().map(|(_, bytes)| bytes).sum();
    eprintln!(
        "{:>8.1} KiB  first load in brotli, at most {}",
        kib(total),
        kib(FIRST_LOAD_BYTES_MAX)
    );
    ensure!(
        total <= FIRST_LOAD_BYTES_MAX,
        "the page is {:.1} KiB too heavy: look at its dependencies first (cargo tree -p frontend)",
        kib(total - FIRST_LOAD_BYTES_MAX)
    );
    Ok(())
}

fn parts(folder: &Path) -> Result<Vec<(String, u64)>> {
    let mut parts = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("no page in {}", folder.display()))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() {
            parts.extend(self::parts(&entry.path())?);
        } else if is_first_load(&name) {
            parts.push((name, entry.metadata()?.len()));
        }
    }
    parts.sort();
    Ok(parts)
}

fn is_first_load(name: &str) -> bool {
    ["html.br", "js.br", "css.br", "wasm.br"].iter().any(|end| name.ends_with(end))
}

#[expect(clippy::cast_precision_loss, reason = "a page has nowhere near 2^52 bytes")]
fn kib(bytes: u64) -> f64 {
    bytes as f64 / 1024.0
}
