//! One request, from its head to the last byte of its answer: attempts, exchanges, evidence.

pub(crate) mod affinity;
pub(crate) mod answer;
pub(crate) mod attempt;
pub(crate) mod call;
pub(crate) mod ending;
pub(crate) mod evidence;
pub(crate) mod exchange;
pub(crate) mod facts;
pub(crate) mod farewell;
pub(crate) mod grpc;
pub(crate) mod lane;
pub(crate) mod record;
pub(crate) mod reply;
pub(crate) mod serve;
pub(crate) mod tries;
