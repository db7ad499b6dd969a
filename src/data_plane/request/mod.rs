//! One request, from its head to the last byte of its answer: attempts, exchanges, evidence.

pub(crate) mod affinity;
pub(crate) mod answer;
pub(crate) mod attempt;
pub(crate) mod call;
pub(crate) mod copy_loop;
pub(crate) mod drain_close;
pub(crate) mod ending;
pub(crate) mod evidence;
pub(crate) mod exchange;
pub(crate) mod facts;
pub(crate) mod grpc;
pub(crate) mod record;
pub(crate) mod reply;
pub(crate) mod retry_policy;
pub(crate) mod serve;
