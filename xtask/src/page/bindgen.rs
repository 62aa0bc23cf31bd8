//! From the compiler's WebAssembly to what a browser loads: wasm-bindgen as a library.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

use super::{Files, output, shorten};
use crate::place;

/// What wasm-bindgen made.
pub(super) struct Made {
    pub(super) wasm: Vec<u8>,
    pub(super) script: Vec<u8>,
    /// Scripts that crates bring along, under the names by which the script imports them.
    pub(super) snippets: Files,
}

/// Runs wasm-bindgen, or reads what it made before from the same bytes.
pub(super) fn run(wasm: &Path, bin: &str) -> Result<Made> {
    let input = fs::read(wasm).with_context(|| format!("cargo did not make {}", wasm.display()))?;
    let folder = place::target().join("page").join(output::digest(&input));
    // The folder gets its name last, so that one that has it is complete.
    if !folder.is_dir() {
        let unfinished = folder.with_extension("unfinished");
        remove(&unfinished)?;
        if let Some(older) = folder.parent() {
            remove(older)?;
        }
        Bindgen::new()
            .input_bytes(bin, input)
            .web(true)?
            .typescript(false)
            .remove_name_section(true)
            .remove_producers_section(true)
            .generate(&unfinished)?;
        shorten_in(&unfinished, bin)?;
        fs::rename(&unfinished, &folder)?;
    }
    let mut snippets = Files::new();
    collect(&folder.join("snippets"), "snippets", &mut snippets)?;
    let wasm = fs::read(folder.join(format!("{bin}_bg.wasm")))?;
    let script = fs::read(folder.join(format!("{bin}.js")))?;
    Ok(Made { wasm, script, snippets })
}

fn shorten_in(folder: &Path, bin: &str) -> Result<()> {
    let wasm = folder.join(format!("{bin}_bg.wasm"));
    let script = folder.join(format!("{bin}.js"));
    let shorter = shorten::shorten(&fs::read(&wasm)?, &fs::read_to_string(&script)?)?;
    fs::write(wasm, shorter.0)?;
    fs::write(script, shorter.1)?;
    Ok(())
}

fn collect(folder: &Path, name: &str, files: &mut Files) -> Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = format!("{name}/{}", output::file_name(&path)?);
        if path.is_dir() {
            collect(&path, &name, files)?;
        } else {
            files.insert(name, fs::read(&path)?);
        }
    }
    Ok(())
}

fn remove(folder: &Path) -> Result<()> {
    if folder.is_dir() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot clear {}", folder.display()))?;
    }
    Ok(())
}
