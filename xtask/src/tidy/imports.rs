//! Who may know whom: `common` ← `session`, `rooms`; `session` ← `frontend`; `rooms` ← `server`;
//! the pure crates know neither sockets nor clocks nor locks.

use super::{
    Complaint,
    source::{Source, words},
};

/// Crates that are handed time and randomness and never wait.
const PURE: &[&str] = &["common", "session", "rooms", "websocket"];

/// All that a pure crate may depend on. What belongs into one is added here, with its reason.
const PURE_MAY_USE: &[(&str, &[&str])] = &[
    // sha2: the digest that both ends compute.
    ("common", &["serde", "serde_json", "sha2", "thiserror"]),
    // web-time is std's `Instant` under a name that exists in a browser too.
    ("session", &["common", "web-time", "thiserror"]),
    // bytes: an encoded entry, shared by all who get it.
    ("rooms", &["bytes", "common", "thiserror"]),
    ("websocket", &["bytes", "thiserror"]),
];

/// Our own crates, and which of the others each may depend on. `xtask` depends on none.
const OUR_OWN: &[(&str, &[&str])] = &[
    ("common", &[]),
    ("session", &["common"]),
    ("rooms", &["common"]),
    ("websocket", &[]),
    ("server", &["common", "rooms", "websocket"]),
    ("frontend", &["common", "session"]),
    ("simulation", &["common", "rooms", "session"]),
    ("loadgen", &["common", "server", "session"]),
    ("endurance", &["common", "server"]),
    ("fuzz", &["common", "rooms", "server", "session", "websocket"]),
    ("xtask", &[]),
];

/// Words that have no place in a pure crate, and where what they stand for belongs.
const NOT_PURE: &[(&str, &str)] = &[
    ("async", "waiting belongs to the shell: return what to do next and let the shell wait"),
    ("await", "waiting belongs to the shell: return what to do next and let the shell wait"),
    ("Mutex", "a pure crate is a value without locks: the shell guards it"),
    ("RwLock", "a pure crate is a value without locks: the shell guards it"),
    ("Condvar", "a pure crate is a value without locks: the shell guards it"),
    ("mpsc", "a pure crate has no channels: return values instead"),
    ("HashMap", "use BTreeMap: what a pure crate does must be repeatable"),
    ("HashSet", "use BTreeSet: what a pure crate does must be repeatable"),
    ("SystemTime", "time is handed in as `now`"),
];

/// What lets nobody see an order may hash; the rest of its crate takes that.
const HASHES: (&str, &str) = ("rooms/src/lookup.rs", "HashMap");

/// What of `std` has no place in a pure crate.
const NOT_PURE_STD: &[&str] = &["env", "fs", "io", "net", "process", "thread"];

/// A crate that only some modules of a shell may name.
struct Confined {
    house: &'static str,
    name: &'static str,
    /// Modules under `src/`, as files or folders. Empty: any one file, but only one.
    modules: &'static [&'static str],
}

const CONFINED: &[Confined] = &[
    Confined { house: "server", name: "warp", modules: &["routes", "transport", "api"] },
    Confined { house: "frontend", name: "gloo_net", modules: &[] },
];

pub(super) fn check(sources: &[Source]) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for source in sources {
        if source.path == format!("{}/Cargo.toml", source.house()) {
            manifest(source, sources, &mut complaints);
        } else if source.ships() && PURE.contains(&source.house()) {
            purity(source, &mut complaints);
        }
    }
    for confined in CONFINED {
        confinement(confined, sources, &mut complaints);
    }
    complaints
}

/// A dependency in a manifest.
struct Dependency<'a> {
    line: usize,
    name: &'a str,
    only_for_tests: bool,
}

fn dependencies(manifest: &str) -> Vec<Dependency<'_>> {
    let mut found = Vec::new();
    let mut section = "";
    for (line, text) in (1..).zip(manifest.lines()) {
        if text.starts_with('[') {
            section = text.trim_matches(['[', ']', ' ']);
            continue;
        }
        let name = text.split(['.', '=', ' ']).next().unwrap_or_default();
        // What continues a list begins with a space, a quote or a bracket.
        let is_entry = name.starts_with(|c: char| c.is_ascii_alphanumeric());
        if is_entry && section.ends_with("dependencies") && section != "workspace.dependencies" {
            let only_for_tests = section.ends_with("dev-dependencies");
            found.push(Dependency { line, name, only_for_tests });
        }
    }
    found
}

fn manifest(source: &Source, sources: &[Source], complaints: &mut Vec<Complaint>) {
    let house = source.house();
    let of_house = |table: &[(&str, &'static [&'static str])]| {
        table.iter().find(|(name, _)| *name == house).map(|(_, allowed)| *allowed)
    };
    for Dependency { line, name, only_for_tests } in dependencies(&source.text) {
        let mut complain =
            |what: String| complaints.push(Complaint { path: source.path.clone(), line, what });
        let is_ours = OUR_OWN.iter().any(|(ours, _)| *ours == name);
        if is_ours && of_house(OUR_OWN).is_some_and(|allowed| !allowed.contains(&name)) {
            complain(format!("{house} must not know {name}: share what both need through common"));
        } else if !only_for_tests
            && of_house(PURE_MAY_USE).is_some_and(|allowed| !allowed.contains(&name))
        {
            complain(format!(
                "{name} is not among what {house} may use: do it in the shell, or add it to \
                 PURE_MAY_USE in xtask/src/tidy/imports.rs with the reason"
            ));
        }
        if !is_used(name, house, sources) {
            complain(format!("no source of {house} names {name}: take it out"));
        }
    }
}

fn is_used(dependency: &str, house: &str, sources: &[Source]) -> bool {
    let name = dependency.replace('-', "_");
    let ours = |source: &&Source| source.house() == house && source.path.ends_with(".rs");
    sources.iter().filter(ours).any(|source| words(&source.code).any(|word| word == name))
}

fn purity(source: &Source, complaints: &mut Vec<Complaint>) {
    for (line, code) in source.lines_before_tests() {
        let mut complain =
            |what: String| complaints.push(Complaint { path: source.path.clone(), line, what });
        for word in words(code) {
            let instead = NOT_PURE.iter().find(|(name, _)| *name == word);
            if let Some((_, instead)) = instead.filter(|_| (source.path.as_str(), word) != HASHES) {
                complain(format!("`{word}` in {}: {instead}", source.house()));
            }
        }
        for part in parts_of_std(code) {
            if NOT_PURE_STD.contains(&part) {
                complain(format!(
                    "`std::{part}` in {}: a pure crate does no IO; hand in what it needs",
                    source.house()
                ));
            }
        }
    }
}

/// The modules of `std` that a line names, by path or as `use std::{…}`.
fn parts_of_std(code: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    for (_, after) in code.match_indices("std::").map(|(at, found)| (at, &code[at + found.len()..]))
    {
        match after.strip_prefix('{') {
            Some(group) => parts.extend(words(group)),
            None => parts.extend(words(after).next()),
        }
    }
    parts
}

fn confinement(confined: &Confined, sources: &[Source], complaints: &mut Vec<Complaint>) {
    let Confined { house, name, modules } = confined;
    let mut home: Option<&str> = None;
    for source in sources.iter().filter(|source| source.house() == *house && source.ships()) {
        let first =
            source.lines_before_tests().find(|(_, code)| words(code).any(|word| word == *name));
        let Some((line, _)) = first else { continue };
        let allowed = if modules.is_empty() {
            home.get_or_insert(&source.path) == &source.path
        } else {
            modules.iter().any(|module| is_in_module(&source.path, house, module))
        };
        if !allowed {
            let place = match home {
                Some(home) => home.to_owned(),
                None => format!("{house}/src/{{{}}}", modules.join(",")),
            };
            let what = format!("only {place} may name {name}: say there what is needed here");
            complaints.push(Complaint { path: source.path.clone(), line, what });
        }
    }
}

fn is_in_module(path: &str, house: &str, module: &str) -> bool {
    let inside = path.strip_prefix(house).and_then(|path| path.strip_prefix("/src/"));
    let after = inside.and_then(|path| path.strip_prefix(module));
    after.is_some_and(|after| after == ".rs" || after.starts_with('/'))
}
