//! Makes the program lighter without changing what it does: its WebAssembly and the script around
//! it call each other by names that end in digests, which no compressor can shrink, and the
//! script is written for people.

use std::collections::BTreeMap;

use anyhow::Result;
use walrus::{Module, ModuleConfig};

/// Old names and the new ones.
type Names = BTreeMap<String, String>;

/// Gives both sides of the program short names for each other.
pub(super) fn shorten(wasm: &[u8], script: &str) -> Result<(Vec<u8>, String)> {
    let mut module = ModuleConfig::new()
        .generate_name_section(false)
        .generate_producers_section(false)
        .parse(wasm)?;
    let names = rename(&mut module);
    Ok((module.emit_wasm(), tight(&with_names(script, &names))))
}

fn rename(module: &mut Module) -> Names {
    let mut names = Names::new();
    let imports = module.imports.iter_mut().map(|import| &mut import.name);
    let exports = module.exports.iter_mut().map(|export| &mut export.name);
    for name in imports.chain(exports).filter(|name| has_digest(name)) {
        let next = format!("${}", names.len());
        *name = names.entry(name.clone()).or_insert(next).clone();
    }
    names
}

/// Sixteen hexadecimal digits, with an `h` before them or not.
fn has_digest(name: &str) -> bool {
    name.split('_')
        .map(|part| part.trim_start_matches('h'))
        .any(|part| part.len() == 16 && part.bytes().all(|digit| digit.is_ascii_hexdigit()))
}

fn with_names(script: &str, names: &Names) -> String {
    let is_apart = |c: char| !c.is_alphanumeric() && c != '_' && c != '$';
    let words = script.split_inclusive(is_apart).map(|piece| {
        let word = piece.trim_end_matches(is_apart);
        let new = names.get(word).map_or(word, String::as_str);
        [new, &piece[word.len()..]].concat()
    });
    words.collect()
}

/// Without indentation, empty lines and lines that are comments.
fn tight(script: &str) -> String {
    let lines = script.lines().map(str::trim_start);
    lines.filter(|line| !line.is_empty() && !line.starts_with("//")).fold(
        String::new(),
        |mut tight, line| {
            tight.push_str(line);
            tight.push('\n');
            tight
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_call_each_other_by_the_same_short_names() {
        let mut module = Module::default();
        let kind = module.types.add(&[], &[]);
        let (now, _) = module.add_import_func("./page.js", "__wbg_now_0123456789abcdef", kind);
        module.exports.add("invoke__hfedcba9876543210_2", now);
        module.exports.add("__wbindgen_start", now);
        let script = "const imports = {\n    // comment\n    __wbg_now_0123456789abcdef: now,\n};\n\n\
                      wasm.invoke__hfedcba9876543210_2(); wasm.__wbindgen_start();";

        let (wasm, script) = shorten(&module.emit_wasm(), script).unwrap();
        let module = Module::from_buffer(&wasm).unwrap();
        let imports: Vec<&str> = module.imports.iter().map(|it| it.name.as_str()).collect();
        let exports: Vec<&str> = module.exports.iter().map(|it| it.name.as_str()).collect();
        assert_eq!((imports, exports), (vec!["$0"], vec!["$1", "__wbindgen_start"]));
        assert_eq!(
            script,
            "const imports = {\n$0: now,\n};\nwasm.$1(); wasm.__wbindgen_start();\n"
        );
    }
}
