//! What may use what: the folders of this crate are floors, and within them no files use each other in a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::read_to_string;
use std::path::Path;

/// The floors from the lowest. A file uses its own folder and those of lower floors; the groups of checks stand beside each
/// other on one floor.
const FLOORS: [&[&str]; 7] = [
    &["model"],
    &["text"],
    &["knowledge"],
    &["moment"],
    &["api", "controller", "sidecars", "drivers", "classes", "volumes", "snapshots", "products", "roundtrip", "access"],
    &["diagnosis"],
    &["catalogue", "interests", "questions"],
];

/// The modules of the crate, each with the paths behind `crate::` in its file.
fn modules() -> BTreeMap<String, BTreeSet<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut modules = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir().unwrap() {
            let path = entry.unwrap().path();
            let place = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            if path.is_dir() && !["tests", "model/tests", "diagnosis/tests"].contains(&place.as_str()) {
                folders.push(path);
            } else if let Some(module) = place.strip_suffix(".rs").filter(|module| *module != "lib") {
                let module = module.trim_end_matches("/mod").replace('/', "::");
                modules.insert(module, paths(&read_to_string(path).unwrap()));
            }
        }
    }
    modules
}

fn paths(text: &str) -> BTreeSet<String> {
    let is_path = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let code = code.join("\n");
    let paths = code.split("crate::").skip(1).flat_map(|rest| {
        let end = rest.find(|c| !is_path(c)).unwrap_or(rest.len());
        let (path, rest) = rest.split_at(end);
        // `crate::roundtrip::{pod_starts, data_intact}` is a path for each name.
        match rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
            Some((names, _)) => names.split(',').map(|name| format!("{path}{}", first_word(name))).collect(),
            None => vec![path.to_owned()],
        }
    });
    paths.collect()
}

fn first_word(text: &str) -> &str {
    text.split_whitespace().next().unwrap_or_default()
}

fn floor(module: &str) -> usize {
    let top = module.split("::").next().unwrap();
    FLOORS.iter().position(|floor| floor.contains(&top)).unwrap_or_else(|| panic!("{top} is on no floor"))
}

#[test]
fn no_file_uses_a_higher_floor_or_another_group() {
    let modules = modules();
    for (module, paths) in &modules {
        for path in paths {
            let own = module.split("::").next() == path.split("::").next();
            assert!(own || floor(path) < floor(module), "{module} uses {path}, which lies above or beside it");
        }
    }
    assert!(modules.contains_key("roundtrip::pod_starts::mount") && modules.contains_key("knowledge::tables"));
}

#[test]
fn no_files_use_each_other_in_a_circle() {
    let modules = modules();
    let module_of = |path: &str| {
        let mut path = path.trim_end_matches(':');
        while !modules.contains_key(path) {
            path = path.rsplit_once("::")?.0;
        }
        Some(path.to_owned())
    };
    let mut uses: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (module, paths) in &modules {
        // The types of the model are one description, and a folder's own file holds what those in it share.
        let is_within = |used: &String| module == used || module.starts_with(&format!("{used}::"));
        let counts = |used: &String| !used.starts_with("model::") && !is_within(used);
        uses.insert(module, paths.iter().filter_map(|path| module_of(path)).filter(counts).collect());
    }
    // What uses nothing that is left, or is used by nothing that is left, is in no circle.
    loop {
        let left: BTreeSet<String> = uses.keys().map(|module| (*module).to_owned()).collect();
        let wanted: BTreeSet<String> = uses.values().flatten().cloned().collect();
        uses.retain(|module, uses| wanted.contains(*module) && !uses.is_disjoint(&left));
        if uses.len() == left.len() {
            break;
        }
    }
    assert!(uses.is_empty(), "in a circle, or between two: {:?}", uses.keys());
}
