//! The page, built from the same `index.html` that trunk reads, without any tool to install.
//!
//! It must never do again what has not changed: cargo decides about the WebAssembly, its bytes
//! about the script made from it, and a file that is already there as it should be is not
//! written again, so that the server that holds it is not built again either.

mod bindgen;

mod html;

mod output;

mod shorten;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use anyhow::{Context, Result, bail};

use self::{
    html::{Attributes, Piece},
    output::Output,
};
use crate::{command, install, place};

/// Builds the page into a folder; what else was in it is gone afterwards.
pub(crate) fn build(folder: &Path) -> Result<()> {
    #[expect(clippy::disallowed_methods, reason = "this is a shell: it tells how long it took")]
    let begun = Instant::now();
    install::wasm_target()?;
    let root = place::root();
    let index = root.join("index.html");
    let index = fs::read_to_string(&index).with_context(|| {
        format!("the page begins with {}, which cannot be read", index.display())
    })?;

    let mut output = Output::default();
    let mut html = String::new();
    let pieces = html::pieces(&index)?;
    let mut style = Some(style(&pieces, &root, &mut output)?);
    for piece in pieces {
        match piece {
            Piece::Text(text) => html += text,
            // The one sheet stands where the first one stood.
            Piece::Link(link) if is_style(&link) => html += &style.take().unwrap_or_default(),
            Piece::Link(link) => html += &follow(&link, &root, &mut output)?,
        }
    }
    output.add("index.html", html.into_bytes());
    output.write(folder)?;
    eprintln!("page: {} in {:.1} s", folder.display(), begun.elapsed().as_secs_f64());
    Ok(())
}

fn is_style(link: &Attributes) -> bool {
    link.get("rel").is_some_and(|rel| rel == "css")
}

/// All style sheets in one, in their order: one request, and one text to compress.
fn style(pieces: &[Piece<'_>], root: &Path, output: &mut Output) -> Result<String> {
    let mut style = String::new();
    for piece in pieces {
        if let Piece::Link(link) = piece
            && is_style(link)
        {
            let href = link.get("href").context("a <link data-trunk rel=\"css\"> has no href")?;
            let source = String::from_utf8(read(&root.join(href))?)
                .with_context(|| format!("{href} is not text"))?;
            style += &bare(&source);
        }
    }
    let name = output.add_hashed(Path::new("style.css"), style.into_bytes())?;
    Ok(format!(r#"<link rel="stylesheet" href="/{name}">"#))
}

/// A style sheet without what only people read: comments, indentation and empty lines.
fn bare(source: &str) -> String {
    let mut bare = String::with_capacity(source.len());
    let mut parts = source.split("/*");
    bare += parts.next().unwrap_or_default();
    for part in parts {
        bare += part.split_once("*/").map_or("", |(_, after)| after);
    }
    let lines = bare.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// Does what a `<link data-trunk>` asks for, and says what stands in its place.
fn follow(link: &Attributes, root: &Path, output: &mut Output) -> Result<String> {
    let rel = link.get("rel").context("a <link data-trunk> in index.html has no rel")?;
    let href = link.get("href").context("a <link data-trunk> in index.html has no href")?;
    let source = root.join(href);
    match rel.as_str() {
        "rust" => program(link, &source, output),
        "icon" => {
            let name = output.add_hashed(&source, read(&source)?)?;
            Ok(format!(r#"<link rel="icon" href="/{name}">"#))
        }
        "copy-file" => {
            output.add(output::file_name(&source)?, read(&source)?);
            Ok(String::new())
        }
        other => bail!(
            "index.html asks for <link data-trunk rel=\"{other}\">, which xtask does not know: \
             use rust, css, icon or copy-file, or teach it in xtask/src/page.rs"
        ),
    }
}

/// The program itself: WebAssembly, the script around it, and a script of our own that starts
/// it. The start is a file and not part of the HTML, so that the page allows no inline script.
fn program(link: &Attributes, manifest: &Path, output: &mut Output) -> Result<String> {
    let profile = link.get("data-cargo-profile-release").map_or("release", String::as_str);
    let bin = link.get("data-bin").context("<link data-trunk rel=\"rust\"> has no data-bin")?;
    let wasm = compile(manifest, bin, profile)?;
    let made = bindgen::run(&wasm, bin)?;

    let script = output.add_hashed(Path::new(&format!("{bin}.js")), made.script)?;
    let wasm = output.add_hashed(Path::new(&format!("{bin}_bg.wasm")), made.wasm)?;
    for (name, bytes) in made.snippets {
        output.add(name, bytes);
    }
    let start =
        format!("import init from '/{script}';\nawait init({{ module_or_path: '/{wasm}' }});\n");
    let start = output.add_hashed(Path::new("start.js"), start.into_bytes())?;
    Ok(format!(
        "<link rel=\"modulepreload\" href=\"/{script}\">\n\
         <link rel=\"preload\" href=\"/{wasm}\" as=\"fetch\" type=\"application/wasm\" crossorigin>\n\
         <script type=\"module\" src=\"/{start}\"></script>"
    ))
}

fn compile(manifest: &Path, bin: &str, profile: &str) -> Result<PathBuf> {
    let mut cargo = command::cargo(&["build", "--locked", "--target", install::WASM_TARGET]);
    cargo.args(["--bin", bin, "--profile", profile, "--manifest-path"]).arg(manifest);
    cargo.args(["--config", &without_paths()?]);
    command::run(&mut cargo)?;
    // The built-in profile `dev` is the one that does not name its folder.
    let folder = if profile == "dev" { "debug" } else { profile };
    Ok(place::target().join(install::WASM_TARGET).join(folder).join(format!("{bin}.wasm")))
}

/// Where a panic happened is written into the program, with the whole path: that tells everybody
/// who built it where, differs from machine to machine, and weighs most of a KiB in brotli.
fn without_paths() -> Result<String> {
    let mut prefixes = vec![place::root()];
    let registry = place::cargo_home()?.join("registry/src");
    if let Ok(sources) = fs::read_dir(registry) {
        prefixes.extend(sources.filter_map(|source| Some(source.ok()?.path())));
    }
    let mut flags: Vec<String> = prefixes
        .iter()
        .map(|prefix| format!("--remap-path-prefix={}=", prefix.display()))
        .collect();
    let mut rustc = Command::new("rustc");
    rustc.arg("-vV").current_dir(place::root());
    if let Some(commit) =
        command::read(&mut rustc)?.lines().find_map(|line| line.strip_prefix("commit-hash: "))
    {
        flags.push(format!("--remap-path-prefix=/rustc/{commit}/library="));
    }
    Ok(format!("target.{}.rustflags={flags:?}", install::WASM_TARGET))
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("index.html names {}", path.display()))
}

/// Files by their name in the folder.
type Files = BTreeMap<String, Vec<u8>>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_style_sheet_loses_what_only_people_read() {
        let source = "/* Who\n   reads? */\n.a,\n.b > .c {\n  margin: 0 1px; /* why */\n}\n";
        assert_eq!(bare(source), ".a,\n.b > .c {\nmargin: 0 1px;\n}\n");
    }
}
