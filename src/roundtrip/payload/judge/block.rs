//! What a report about a raw device tells.

use super::super::Judgement;
use super::super::block::Layout;
use super::super::content::{Content, Phase, digest};
use super::{Begins, State, begins, cut};
use crate::model::DataVerdict;

pub(super) fn report(layout: &Layout, content: &Content, lines: &[&str]) -> Option<Judgement> {
    if lines.len() != layout.extents.len() {
        return None;
    }
    let nothing = digest(&[]);
    let mut states = Vec::new();
    let mut heads = Vec::new();
    let mut differences = Vec::new();
    for (line, extent) in lines.iter().zip(&layout.extents) {
        let rest = line.strip_prefix("b ")?.strip_prefix(&extent.first.to_string())?.strip_prefix(' ')?;
        let (digest, head) = rest.split_once(' ')?;
        let state = match digest {
            _ if digest == extent.before => State::Before,
            _ if digest == extent.after => State::After,
            _ if digest == extent.zeros => State::Short,
            _ if digest == nothing => State::Missing,
            _ => State::Other,
        };
        let seen = match state {
            State::Before => None,
            State::After => Some("what the source was overwritten with".to_owned()),
            State::Short => Some("zeros".to_owned()),
            State::Missing => Some("nothing: the device ends before it, or cannot be read".to_owned()),
            State::Other => Some(match layout.extents.iter().find(|other| other.before == digest) {
                Some(other) => format!("what belongs to block {}", other.first),
                None => format!("other content, which begins with {:?}", cut(head)),
            }),
        };
        let place = format!("blocks of 4 KiB from {}, {} of them", extent.first, extent.count);
        differences.extend(seen.map(|seen| format!("{place}: {seen}")));
        states.push(state);
        heads.push(begins(content, head));
    }
    let all = |allowed: &[State]| states.iter().all(|state| allowed.contains(state));
    let foreign = heads.iter().find_map(|head| match head {
        Begins::Other(seed) => Some(*seed),
        Begins::Ours(_) | Begins::Unknown => None,
    });
    let wrong = states.iter().filter(|state| **state != State::Before).count();
    let (verdict, message) = if states.contains(&State::After) || heads.contains(&Begins::Ours(Phase::After)) {
        let message =
            "the restored device holds what the source was overwritten with later: the live volume was copied";
        (DataVerdict::LiveData, message.to_owned())
    } else if all(&[State::Short]) {
        (DataVerdict::Empty, "the restored device holds only zeros where data was written".to_owned())
    } else if all(&[State::Missing]) {
        // A device of no size and one that cannot be read look alike, so this is no statement about its content.
        return None;
    } else if !states.contains(&State::Before) && !heads.contains(&Begins::Ours(Phase::Before)) {
        match foreign {
            Some(seed) => (
                DataVerdict::WrongVolume,
                format!("the restored device holds the data of another round trip (seed {seed})"),
            ),
            None => (
                DataVerdict::WrongVolume,
                "the restored device holds other content than any that was written".to_owned(),
            ),
        }
    } else if is_cut(&states) {
        (
            DataVerdict::Truncated,
            format!("the restored device ends early: {wrong} of {} stretches are lost at its end", states.len()),
        )
    } else {
        (DataVerdict::Corrupted, format!("{wrong} of {} stretches of blocks are not what was written", states.len()))
    };
    // A line may differ from the expected report although its digest is right: then something is wrong with the report.
    if wrong == 0 {
        return None;
    }
    Some(Judgement::new(verdict, message, differences))
}

/// Whether intact stretches are followed only by zeros or nothing; the stretch at the cut may be partly there.
fn is_cut(states: &[State]) -> bool {
    let intact = states.iter().take_while(|state| **state == State::Before).count();
    let rest = states.get(intact..).unwrap_or_default();
    let rest = rest.strip_prefix(&[State::Other]).unwrap_or(rest);
    intact > 0 && !rest.is_empty() && rest.iter().all(|state| matches!(state, State::Short | State::Missing))
}
