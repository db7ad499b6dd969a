//! One request, from its head to the last byte of its response.
//!
//! | File | Its part |
//! |---|---|
//! | [`serve`] | routes a request, writes its head for the origin, counts it at its end |
//! | [`call`] | a request on its way: its service, its color, its place in the queue |
//! | [`facts`] | the facts of a head that outlive its buffer |
//! | [`attempt`] | attempt after attempt, until the client has its response |
//! | [`retry_policy`] | which endpoint is tried, how often, and by which color |
//! | [`exchange`] | one request on one connection to an origin, both directions |
//! | [`copy_loop`] | one direction of an exchange |
//! | [`ending`] | how an attempt ended |
//! | [`evidence`] | the meaning of an attempt for the judge and for the endpoint |
//! | [`answer`] | every answer that greenlight gives itself: the policy of status codes |
//! | [`reply`] | writes such an answer to the client |
//! | [`record`] | the line of the access log |
//! | [`affinity`] | the cookie that leads a client back to its endpoint |
//! | [`grpc`] | whether a call of gRPC failed |
//! | [`drain_close`] | the Close frame of a WebSocket connection at a drain |

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
