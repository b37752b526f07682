use super::Program;
use crate::model::StepId;
use crate::roundtrip::modes::{Shape, plain};

fn plain() -> Program {
    plain::program(Shape { own_namespace: true, immediate: false })
}

#[test]
fn the_plain_round_trip_is_deleted_in_four_waves() {
    let program = plain();
    let words = |wave: &Vec<_>| -> Vec<&str> { wave.iter().map(|id| program.object(*id).unwrap().word).collect() };
    let waves: Vec<_> = program.waves().iter().map(words).collect();
    assert_eq!(
        waves,
        [
            vec!["reader", "restored-consumer", "writer", "source-consumer"],
            vec!["restored", "restored-volume"],
            vec!["snapshot", "content"],
            vec!["source", "source-volume"],
        ]
    );
}

#[test]
fn the_plain_round_trip_has_all_steps() {
    assert_eq!(plain().steps(), StepId::ALL);
}
