//! The circuit as one would write it without a thought for speed: every call of the window in a list, judged after each.
use super::*;

/// Times in milliseconds.
pub(super) struct Model {
    pub(super) config: BreakerConfig,
    pub(super) state: State,
    pub(super) refused: u64,
    generation: u64,
    until: u64,
    streak: i32,
    /// Of each call its number or time, whether it failed, and whether it was slow.
    calls: Vec<(u64, bool, bool)>,
    /// When the window began.
    began: Option<u64>,
    granted: u32,
}

pub(super) struct ModelTicket {
    generation: u64,
    started: u64,
}

impl Model {
    pub(super) fn new(config: &BreakerConfig) -> Self {
        Self {
            config: config.clone(),
            state: config.state(),
            refused: 0,
            generation: 0,
            until: 0,
            streak: 0,
            calls: Vec::new(),
            began: None,
            granted: 0,
        }
    }

    pub(super) fn enter(&mut self, now: u64) -> Option<ModelTicket> {
        if self.state == State::Open && now >= self.until {
            self.become_(State::HalfOpen);
        }
        let admitted = match self.state {
            State::HalfOpen => self.granted < self.config.half_open_calls,
            State::Open | State::ForcedOpen => false,
            _ => true,
        };
        self.granted += u32::from(admitted && self.state == State::HalfOpen);
        self.refused += u64::from(!admitted);
        admitted.then_some(ModelTicket {
            generation: self.generation,
            started: now,
        })
    }

    pub(super) fn end(&mut self, ticket: &ModelTicket, outcome: Outcome, now: u64) {
        if ticket.generation != self.generation || self.state == State::Disabled {
            return;
        }
        if outcome == Outcome::Ignored {
            self.granted = self.granted.saturating_sub(1);
            return;
        }
        let took = Duration::from_millis(now - ticket.started);
        let slow = self.config.slow_call_rate.is_some() && took >= self.config.slow_call_duration;
        let began = *self.began.get_or_insert(now);
        let place = match self.config.window {
            WindowConfig::Time(length) if self.state != State::HalfOpen => {
                let width = (length.as_millis() as u64).div_ceil(10);
                (now - began) / width
            }
            _ => self.calls.len() as u64,
        };
        self.calls.push((place, outcome == Outcome::Failure, slow));
        self.judge(now);
    }

    /// Calls, failures and slow calls.
    pub(super) fn held(&self, now: u64) -> (u64, u64, u64) {
        let kept = self.kept(now);
        let count =
            |is: fn(&(u64, bool, bool)) -> bool| kept.iter().filter(|c| is(c)).count() as u64;
        (kept.len() as u64, count(|c| c.1), count(|c| c.2))
    }

    fn kept(&self, now: u64) -> Vec<(u64, bool, bool)> {
        let first = match (self.config.window, self.began) {
            _ if self.state == State::HalfOpen => 0,
            (WindowConfig::Time(length), Some(began)) => {
                let width = (length.as_millis() as u64).div_ceil(10);
                ((now - began) / width).saturating_sub(9)
            }
            (WindowConfig::Calls(calls), _) => {
                (self.calls.len() as u64).saturating_sub(calls.into())
            }
            _ => 0,
        };
        let calls = self.calls.iter().filter(|call| call.0 >= first);
        calls.copied().collect()
    }

    fn judge(&mut self, now: u64) {
        let (calls, failures, slow) = self.held(now);
        let reached = |rate: Option<f64>, part: u64| {
            rate.is_some_and(|rate| part as f64 >= rate * calls as f64)
        };
        let (failure_rate, slow_rate) = (self.config.failure_rate, self.config.slow_call_rate);
        let mut bad = reached(failure_rate, failures) || reached(slow_rate, slow);
        let open = self.config.open.clone();
        if self.state == State::HalfOpen {
            bad |= failure_rate.is_none() && failures > 0;
            if calls < self.config.half_open_calls.into() {
                return;
            } else if !bad {
                return self.become_(State::Closed);
            }
            self.streak += 1;
        } else {
            let run = self.calls.iter().rev().take_while(|c| c.1).count() as u32;
            let in_a_row = self
                .config
                .consecutive_failures
                .is_some_and(|most| run >= most);
            bad &= calls >= self.config.minimum_calls.into();
            if !(bad || in_a_row) || self.state == State::MetricsOnly {
                return;
            }
        }
        let grown = open.duration.as_millis() as f64 * open.factor.powi(self.streak);
        self.until = now + grown.min(open.max.as_millis() as f64).ceil() as u64;
        self.become_(State::Open);
    }

    fn become_(&mut self, state: State) {
        self.generation += 1;
        self.state = state;
        self.granted = 0;
        self.refused = 0;
        self.began = None;
        self.calls.clear();
        if state == State::Closed {
            self.streak = 0;
        }
    }
}
