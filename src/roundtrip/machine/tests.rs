//! What the walk does not tell apart: how a round trip ends.

use super::{Command, CreateAnswer, DeleteAnswer, Ending, Input, Machine, Settings, Sight};
use crate::model::{PodUser, StepId};
use crate::roundtrip::ledger::{Item, Progress, Uid};
use crate::roundtrip::modes::{Shape, plain};
use crate::roundtrip::program::{Act, Program};

/// Carries out a command at once, as far as something comes of it.
fn answer(command: &Command) -> Option<Input> {
    match command {
        Command::DryRun { trip } => Some(Input::Admitted { trip: *trip, user: Some(PodUser::Root) }),
        Command::Create { item } => Some(Input::Created { item: *item, answer: CreateAnswer::Created(Uid::from("1")) }),
        Command::Delete { item: item @ Item::Of(0, plain::SOURCE_CONSUMER), uid } => {
            Some(Input::Seen { item: *item, sight: Sight::Gone { uid: uid.clone() } })
        }
        _ => None,
    }
}

fn machine() -> Machine {
    Machine::new(Settings::default(), vec![plain::program(Shape { own_namespace: false, immediate: false })])
}

/// A machine that waits for the snapshot of a source that is held.
fn at_the_snapshot() -> Machine {
    let mut machine = machine();
    let mut inputs = vec![Input::Start];
    for _ in 0..ENOUGH {
        let Some(input) = inputs.pop() else { break };
        inputs.extend(machine.handle(input).iter().filter_map(answer));
        if inputs.is_empty() && machine.ledger().progress(CLAIM) < Progress::Done {
            inputs.push(seen(CLAIM, Progress::Done, false));
        } else if inputs.is_empty() && machine.ledger().progress(WRITER) < Progress::Written {
            inputs.push(seen(WRITER, Progress::Written, false));
        }
    }
    machine
}

const CLAIM: Item = Item::Of(0, plain::SOURCE_CLAIM);
/// More than anything here takes; a machine that hangs is to fail its test.
const ENOUGH: usize = 100;
const CONSUMER: Item = Item::Of(0, plain::SOURCE_CONSUMER);
const WRITER: Item = Item::Of(0, plain::WRITER);
const SNAPSHOT: Item = Item::Of(0, plain::SNAPSHOT);

fn seen(item: Item, progress: Progress, deleting: bool) -> Input {
    Input::Seen { item, sight: Sight::Ours { uid: Uid::from("1"), progress, deleting, retained: false } }
}

/// The answer to the look at the writer once the snapshot is ready.
fn found(deleting: bool) -> Input {
    let sight = Sight::Ours { uid: Uid::from("1"), progress: Progress::Written, deleting, retained: false };
    Input::Asked { item: WRITER, sight }
}

const LOOK: Command = Command::Ask { item: WRITER, later: false };

#[test]
fn a_snapshot_counts_only_if_the_writer_held_the_source() {
    let mut machine = at_the_snapshot();
    assert_eq!(machine.handle(seen(SNAPSHOT, Progress::Done, false)), [LOOK]);
    let commands = machine.handle(found(false));
    assert!(commands.contains(&Command::Delete { item: WRITER, uid: Uid::from("1") }), "{commands:?}");
    assert_eq!(machine.ending(0), None);

    // A watch may be behind: the writer was asked to go before the snapshot was ready.
    let mut machine = at_the_snapshot();
    machine.handle(seen(SNAPSHOT, Progress::Done, false));
    machine.handle(found(true));
    assert_eq!(machine.ending(0), Some(Ending::Vanished(WRITER)));

    // Whoever asks the writer to go makes it overwrite the source, perhaps before the snapshot is cut.
    let mut machine = at_the_snapshot();
    machine.handle(seen(WRITER, Progress::Written, true));
    assert_eq!(machine.ending(0), Some(Ending::Vanished(WRITER)));
}

#[test]
fn pods_run_as_what_was_admitted() {
    let mut machine = machine();
    assert_eq!(machine.pod_user(Some(0)), None);
    machine.handle(Input::Start);
    let commands = machine.handle(Input::Admitted { trip: Some(0), user: Some(PodUser::DiskGroup) });
    assert!(commands.contains(&Command::Create { item: CLAIM }), "{commands:?}");
    assert_eq!(machine.pod_user(Some(0)), Some(PodUser::DiskGroup));
    // It is known to the end, and of another round trip nothing.
    machine.handle(Input::Certain { trip: 0 });
    assert_eq!((machine.pod_user(Some(0)), machine.pod_user(Some(1))), (Some(PodUser::DiskGroup), None));
}

#[test]
fn a_writer_that_goes_without_a_word_has_proved_nothing() {
    let mut machine = at_the_snapshot();
    machine.handle(seen(SNAPSHOT, Progress::Done, false));
    machine.handle(found(false));
    machine.handle(Input::Seen { item: WRITER, sight: Sight::Gone { uid: Uid::from("1") } });
    assert_eq!(machine.ending(0), Some(Ending::Vanished(WRITER)));
}

#[test]
fn a_writer_that_may_not_be_deleted_is_a_refusal() {
    let mut machine = at_the_snapshot();
    machine.handle(seen(SNAPSHOT, Progress::Done, false));
    machine.handle(found(false));
    machine.handle(Input::Deleted { item: WRITER, answer: DeleteAnswer::Denied });
    assert_eq!(machine.ending(0), Some(Ending::Refused(WRITER)));
}

#[test]
fn a_consumer_is_made_only_as_long_as_its_claim_needs_one() {
    let mut machine = machine();
    let mut commands = machine.handle(Input::Start);
    for _ in 0..ENOUGH {
        if commands.contains(&Command::Create { item: CONSUMER }) {
            break;
        }
        commands = commands.iter().filter_map(answer).flat_map(|input| machine.handle(input)).collect();
    }
    // The server has no time for it; meanwhile the claim is bound all the same.
    machine.handle(Input::Created { item: CONSUMER, answer: CreateAnswer::NotProcessed });
    let commands = machine.handle(seen(CLAIM, Progress::Done, false));
    assert!(commands.contains(&Command::Create { item: WRITER }), "{commands:?}");
    assert_eq!(machine.handle(Input::Retry { item: CONSUMER }), []);
}

/// A machine that waits for the content of a snapshot that it has deleted, and then creates a claim at this step.
fn at_the_content(then: StepId) -> Machine {
    let program = Program::new(
        plain::objects(),
        vec![
            (StepId::Restore, Act::Create(plain::SNAPSHOT)),
            (StepId::Restore, Act::Remove(plain::SNAPSHOT)),
            (StepId::Restore, Act::AwaitGone(plain::CONTENT)),
            (then, Act::Create(plain::SOURCE_CLAIM)),
        ],
    );
    let mut machine = Machine::new(Settings::default(), vec![program]);
    machine.handle(Input::Start);
    machine.handle(Input::Created { item: SNAPSHOT, answer: CreateAnswer::Created(Uid::from("1")) });
    let commands = machine.handle(Input::Seen { item: SNAPSHOT, sight: Sight::Gone { uid: Uid::from("1") } });
    assert!(commands.contains(&Command::GiveTime { item: CONTENT }), "{commands:?}");
    machine
}

const CONTENT: Item = Item::Of(0, plain::CONTENT);

/// A step has one time: whoever goes on in it when it is over would wait for ever for what comes next.
#[test]
fn what_does_not_go_ends_the_round_trip_unless_the_step_ends_with_it() {
    let over = Input::TimedOut { trip: 0, step: StepId::Restore };
    let mut machine = at_the_content(StepId::Restore);
    machine.handle(over.clone());
    assert_eq!(machine.ending(0), Some(Ending::Stayed(CONTENT)));

    for enough in [over, Input::HadItsTime { item: CONTENT }] {
        let mut machine = at_the_content(StepId::Verify);
        let commands = machine.handle(enough);
        assert!(commands.contains(&Command::Create { item: CLAIM }), "{commands:?}");
    }
    let mut machine = at_the_content(StepId::Restore);
    let commands = machine.handle(Input::HadItsTime { item: CONTENT });
    assert!(commands.contains(&Command::Create { item: CLAIM }), "{commands:?}");
}

/// A machine that has asked a snapshot to go, and then waits for it and for its content.
fn asked_to_go() -> Machine {
    let program = Program::new(
        plain::objects(),
        vec![
            (StepId::Restore, Act::Create(plain::SNAPSHOT)),
            (StepId::Restore, Act::Delete(plain::SNAPSHOT)),
            (StepId::Restore, Act::AwaitGone(plain::SNAPSHOT)),
            (StepId::Restore, Act::AwaitGone(plain::CONTENT)),
            (StepId::Verify, Act::Create(plain::SOURCE_CLAIM)),
        ],
    );
    let mut machine = Machine::new(Settings::default(), vec![program]);
    machine.handle(Input::Start);
    let commands = machine.handle(Input::Created { item: SNAPSHOT, answer: CreateAnswer::Created(Uid::from("1")) });
    assert_eq!(commands, [Command::Delete { item: SNAPSHOT, uid: Uid::from("1") }]);
    machine
}

/// What goes with an object that has had its time gets none of its own.
#[test]
fn what_was_asked_to_go_is_waited_for_once() {
    for enough in [Input::TimedOut { trip: 0, step: StepId::Restore }, Input::HadItsTime { item: SNAPSHOT }] {
        let mut machine = asked_to_go();
        let commands = machine.handle(Input::Deleted { item: SNAPSHOT, answer: DeleteAnswer::Accepted });
        assert!(commands.contains(&Command::GiveTime { item: SNAPSHOT }), "{commands:?}");
        let commands = machine.handle(enough);
        assert!(commands.contains(&Command::Create { item: CLAIM }), "{commands:?}");
    }
    // One that has gone leaves its content's own time.
    let mut machine = asked_to_go();
    let commands = machine.handle(Input::Seen { item: SNAPSHOT, sight: Sight::Gone { uid: Uid::from("1") } });
    assert!(commands.contains(&Command::GiveTime { item: CONTENT }), "{commands:?}");
    let commands = machine.handle(Input::Asked { item: CONTENT, sight: Sight::Absent });
    assert!(commands.contains(&Command::Create { item: CLAIM }), "{commands:?}");
}

/// A request without an answer has deleted nothing, however long it takes.
#[test]
fn what_was_not_asked_to_go_is_not_passed_over() {
    let mut machine = asked_to_go();
    assert_eq!(machine.handle(Input::HadItsTime { item: SNAPSHOT }), []);
    machine.handle(Input::Deleted { item: SNAPSHOT, answer: DeleteAnswer::Denied });
    assert_eq!(machine.ending(0), Some(Ending::Refused(SNAPSHOT)));
}
