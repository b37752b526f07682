use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::{Mode, Shape, all};
use crate::roundtrip::program::{By, Lies, ObjectId};

fn shapes() -> impl Iterator<Item = Shape> {
    [(true, true), (true, false), (false, true), (false, false)]
        .into_iter()
        .map(|(own_namespace, immediate)| Shape { own_namespace, immediate })
}

#[test]
fn every_folder_is_a_mode_and_every_mode_has_its_folder_and_its_doc() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/roundtrip/modes");
    let folders: BTreeSet<String> = fs::read_dir(&root)
        .unwrap()
        .map(Result::unwrap)
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    let names: BTreeSet<String> = all().map(|mode| mode.name.replace('-', "_")).collect();
    assert_eq!(names, folders, "a folder is missing in MODES, or a mode has no folder of its name");
    assert_eq!(names.len(), all().count(), "two modes have one name");
    for mode in all() {
        let doc = fs::read_to_string(root.join(mode.name.replace('-', "_")).join("doc.md")).unwrap();
        assert_eq!(mode.doc, doc, "{}: its doc is its folder's doc.md", mode.name);
        assert!(doc.starts_with(&format!("# {}\n", mode.name)), "{}: the heading is its name", mode.name);
        let summary = mode.summary();
        assert!(
            doc.contains(&format!("\n\n{summary}.\n\n")),
            "{}: its first paragraph is one sentence in one line",
            mode.name
        );
    }
}

/// All round trips of a run have them in common, whatever their modes.
#[test]
fn what_is_shared_is_the_same_in_all_modes() {
    for shape in shapes() {
        let shared = |mode: &Mode| {
            let program = (mode.program)(shape);
            let objects: Vec<_> = program.objects().iter().filter(|object| object.shared).cloned().collect();
            (objects, program.created_shared().collect::<Vec<_>>())
        };
        let plain = shared(all().next().unwrap());
        assert!(all().all(|mode| shared(mode) == plain));
    }
}

#[test]
fn programs_are_sound() {
    for mode in all() {
        for program in shapes().map(mode.program) {
            let mut words = BTreeSet::new();
            for (place, object) in program.objects().iter().enumerate() {
                let name = format!("{} {}", mode.name, object.word);
                assert_eq!(object.id.place(), place, "{name} stands at another place than its id says");
                assert!(words.insert(object.word), "{name}: the word is not unique");
                assert_eq!(matches!(object.lies, Lies::In(_)), object.kind.namespaced, "{name}: scope");
                let known = |id: &ObjectId| program.object(*id).is_some();
                assert!(object.needs.iter().all(known), "{name}: needs");
                let by = |id: ObjectId| program.object(id).map(|maker| maker.by);
                match object.by {
                    By::Run => {}
                    By::Controller { of, .. } => {
                        assert!(matches!(by(of), Some(By::Run | By::Group { .. })), "{name}: made for");
                    }
                    By::Group { of, claim } => {
                        assert_eq!([by(of), by(claim)], [Some(By::Run); 2], "{name}: made for");
                        assert!(program.object(of).unwrap().needs.contains(&claim), "{name}: of another claim");
                    }
                }
            }
            let waves = program.waves();
            let wave = |id: &ObjectId| waves.iter().position(|wave| wave.contains(id));
            for object in program.objects().iter().filter(|object| !object.shared && object.by == By::Run) {
                for needed in object.needs.iter() {
                    assert!(wave(&object.id) < wave(needed), "{} {}: needs each other", mode.name, object.word);
                }
            }
            let mut done = BTreeSet::new();
            for id in program.created() {
                let object = program.object(*id).unwrap();
                assert_eq!(object.by, By::Run, "{} {}", mode.name, object.word);
                let before = |id: &ObjectId| done.contains(id) || !program.creates(*id);
                assert!(object.needs.iter().all(before), "{} {}: created before what it needs", mode.name, object.word);
                done.insert(*id);
            }
        }
    }
}

#[test]
fn what_backup_products_do_is_done_in_modes_that_there_are() {
    for product in snapready_checks::products::ALL {
        for rehearsal in product.rehearsals {
            let mode = Mode::find(rehearsal.mode);
            assert!(mode.is_some_and(|mode| super::MODES.contains(&mode)), "{}: {}", product.word, rehearsal.mode);
        }
    }
}
