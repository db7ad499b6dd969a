//! A worker's view of the route table: the table itself, and the worker's own slots beside it.
//!
//! The worker rebuilds the view when the arc-swap holds another table than the one that the view was
//! made of. To find out costs one load and one comparison a request. A task that takes the view, picks
//! an endpoint and counts the attempt within one turn of the worker's loop has seen the current table.
//! This is the meaning of an acknowledgment.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

use arc_swap::{ArcSwap, Cache};

use crate::model::{Color, EndpointId, PerColor};
use crate::routing::{Candidate, HOOKS_PREFIX, Pick, RouteTable, ServiceRoute, pick_two, tries_all};
use crate::tls::Origins;

use super::recorder::EvidenceSettings;
use super::request_limit::RequestLimit;
use super::service::{ServiceCell, Services};
use crate::data_plane::origin::origin_side::Transport;
use crate::data_plane::origin::slot::{InFlight, Slot};

/// One service in the view.
#[derive(Debug)]
pub(crate) struct ServiceView {
    pub route: Arc<ServiceRoute>,
    pub cell: Rc<ServiceCell>,
    /// The limit on requests in flight; `None` if the service has no limit.
    pub request_limit: Option<Arc<RequestLimit>>,
    /// Endpoints that may get requests.
    usable: PerColor<Vec<Rc<Slot>>>,
    /// All endpoints of the route. A slot that no view holds is dropped.
    named: PerColor<Vec<Rc<Slot>>>,
}

/// The criteria by which an endpoint is picked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish<'a> {
    pub color: Color,
    /// 64 fresh random bits.
    pub random: u64,
    /// The current tick.
    pub now: u32,
    /// Endpoints on which this request has failed.
    pub tried: &'a [EndpointId],
    /// The key of the endpoint that the client's cookie names.
    pub affinity: Option<u64>,
}

/// The destination of a request, by its host or its path.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub service: Rc<ServiceView>,
    /// `Some` for a preview host.
    pub preview: Option<Color>,
}

impl ServiceView {
    /// Picks an endpoint and counts the attempt in flight. `None` if no endpoint of the color can be
    /// used.
    ///
    /// The endpoint that the client's cookie names comes first. Otherwise two are drawn at random, and
    /// the one with fewer requests in flight is picked. Once an endpoint has failed this request, the
    /// pick is the one of the others that has the fewest requests in flight.
    pub(crate) fn pick(&self, wish: &Wish<'_>) -> Option<InFlight> {
        let slot = match wish.affinity.and_then(|key| self.named_by(key, wish)) {
            Some(slot) => slot,
            None if wish.tried.is_empty() => self.draw(wish)?,
            None => self.least(wish)?,
        };
        Some(InFlight::new(Rc::clone(slot), Rc::clone(&self.cell), wish.color))
    }

    fn draw(&self, wish: &Wish<'_>) -> Option<&Rc<Slot>> {
        let usable = &self.usable[wish.color];
        let pick = pick_two(usable.len(), wish.random, |index| {
            let slot = &usable[index];
            Candidate {
                load: slot.inflight.get(),
                weight: slot.weight(wish.now),
                is_out: slot.is_ejected() && !self.tries_all(wish.color),
            }
        })?;
        match pick {
            Pick::One(index) => usable.get(index),
            Pick::BothOut => self.least(wish),
        }
    }

    fn least(&self, wish: &Wish<'_>) -> Option<&Rc<Slot>> {
        let others = self.usable[wish.color].iter().filter(|slot| self.takes(slot, wish));
        others.min_by_key(|slot| slot.inflight.get())
    }

    fn named_by(&self, key: u64, wish: &Wish<'_>) -> Option<&Rc<Slot>> {
        self.usable[wish.color].iter().find(|slot| slot.key == key && self.takes(slot, wish))
    }

    fn takes(&self, slot: &Slot, wish: &Wish<'_>) -> bool {
        !wish.tried.contains(&slot.endpoint.id) && (!slot.is_ejected() || self.tries_all(wish.color))
    }

    /// Whether more than half of a color's endpoints are out. Then ejected endpoints are used too,
    /// because the few that are left would be crushed.
    fn tries_all(&self, color: Color) -> bool {
        let (usable, all) = (self.usable[color].len(), self.named[color].len());
        tries_all(all - usable.min(all) + self.cell.colors[color].ejected.get(), all)
    }

    /// Whether the key in a client's cookie names an endpoint of `color` that may get requests.
    pub(crate) fn is_named(&self, color: Color, key: u64) -> bool {
        self.usable[color].iter().any(|slot| slot.key == key)
    }

    /// Whether any endpoint of `color` may get requests.
    pub(crate) fn has_endpoint(&self, color: Color) -> bool {
        !self.usable[color].is_empty()
    }
}

/// A request that is held because its service is paused.
#[derive(Debug, Default)]
pub(crate) struct PauseWaiter {
    waker: RefCell<Option<Waker>>,
}

impl PauseWaiter {
    /// Wakes the request when the table changes.
    pub(crate) fn wake(&self, waker: &Waker) {
        *self.waker.borrow_mut() = Some(waker.clone());
    }
}

/// The view, and the parts of it that survive its changes.
#[derive(Debug)]
pub(crate) struct View {
    cache: RefCell<Cache<Arc<ArcSwap<RouteTable>>, Arc<RouteTable>>>,
    table: RefCell<Arc<RouteTable>>,
    services: RefCell<Vec<Rc<ServiceView>>>,
    hooks: RefCell<Option<Rc<ServiceView>>>,
    slots: RefCell<HashMap<EndpointId, Rc<Slot>>>,
    /// Requests held because their service is paused.
    waiting: RefCell<Vec<Weak<PauseWaiter>>>,
    rebuilt: Cell<u64>,
    origins: Arc<Origins>,
}

impl View {
    pub(crate) fn new(table: Arc<ArcSwap<RouteTable>>, services: &Services, origins: Arc<Origins>) -> Self {
        let mut cache = Cache::new(table);
        let first = Arc::clone(cache.load());
        let view = Self {
            cache: RefCell::new(cache),
            table: RefCell::new(Arc::clone(&first)),
            services: RefCell::default(),
            hooks: RefCell::default(),
            slots: RefCell::default(),
            waiting: RefCell::default(),
            rebuilt: Cell::new(0),
            origins,
        };
        view.rebuild(first, services, 0);
        view
    }

    /// Takes the current table. Returns its generation. `now` is the current tick.
    pub(crate) fn refresh(&self, services: &Services, now: u32) -> u64 {
        let mut cache = self.cache.borrow_mut();
        let current = cache.load();
        let same = Arc::ptr_eq(current, &self.table.borrow());
        if !same {
            let current = Arc::clone(current);
            drop(cache);
            self.rebuild(current, services, now);
        }
        self.table.borrow().generation()
    }

    /// Looks a host up in the table that was taken last. A `host` of `None` stands for a request
    /// without a host.
    pub(crate) fn find(&self, host: Option<&[u8]>) -> Option<Target> {
        let table = self.table.borrow();
        let found = host.map_or_else(|| table.find_default(), |host| table.find(host))?;
        let service = Rc::clone(self.services.borrow().get(found.index)?);
        Some(Target { service, preview: found.preview })
    }

    /// The destination of a webhook, by its path and whatever its host; `None` if the path is no
    /// webhook's.
    pub(crate) fn find_hook(&self, path: &[u8]) -> Option<Target> {
        let hooks = self.hooks.borrow();
        let service = hooks.as_ref().filter(|_| path.starts_with(HOOKS_PREFIX))?;
        Some(Target { service: Rc::clone(service), preview: None })
    }

    /// The same service in the table that was taken last; `None` if it is gone.
    pub(crate) fn again(&self, service: &ServiceView) -> Option<Rc<ServiceView>> {
        self.services.borrow().iter().find(|other| other.route.name == service.route.name).map(Rc::clone)
    }

    /// Registers a request that waits for a change of the table. Its registration ends when the result
    /// is dropped.
    pub(crate) fn pause_waiter(&self) -> Rc<PauseWaiter> {
        let held = Rc::new(PauseWaiter::default());
        let mut waiting = self.waiting.borrow_mut();
        // Before the list grows, the requests that no longer wait are removed from it.
        if waiting.len() == waiting.capacity() {
            waiting.retain(|held| held.strong_count() > 0);
            let live = waiting.len();
            waiting.reserve(live.max(16));
        }
        waiting.push(Rc::downgrade(&held));
        held
    }

    /// The number of rebuilds so far. Another number means that the table has changed.
    pub(crate) fn rebuilt(&self) -> u64 {
        self.rebuilt.get()
    }

    pub(crate) fn for_each_slot(&self, mut visit: impl FnMut(&Slot)) {
        for slot in self.slots.borrow().values() {
            visit(slot);
        }
    }

    /// Closes connections to origins that were idle for too long. Drops slots that no table names and
    /// no attempt holds; their idle connections close with them.
    pub(crate) fn sweep(&self, now: Instant, tick: u32) {
        self.slots.borrow_mut().retain(|_, slot| {
            slot.pool.sweep(now, tick);
            slot.links.sweep(tick);
            Rc::strong_count(slot) > 1
        });
    }

    fn rebuild(&self, table: Arc<RouteTable>, services: &Services, now: u32) {
        let mut slots = self.slots.borrow_mut();
        let before = self.services.take();
        let after = table.services().iter().enumerate().map(|(index, route)| {
            // An unchanged service keeps its place in most changes, so the same index is tried first.
            let kept = before.get(index).filter(|view| Arc::ptr_eq(&view.route, route));
            let kept = kept.or_else(|| before.iter().find(|view| Arc::ptr_eq(&view.route, route)));
            kept.map_or_else(|| Rc::new(build(route, services, &mut slots, (&self.origins, now))), Rc::clone)
        });
        let after = after.collect();
        *self.services.borrow_mut() = after;
        let hooks =
            table.hooks().map(|route| Rc::new(build(route, services, &mut slots, (&self.origins, now))));
        *self.hooks.borrow_mut() = hooks;
        *self.table.borrow_mut() = table;
        self.rebuilt.set(self.rebuilt.get() + 1);
        for held in self.waiting.take() {
            if let Some(waker) = held.upgrade().and_then(|held| held.waker.take()) {
                waker.wake();
            }
        }
    }
}

fn build(
    route: &Arc<ServiceRoute>,
    services: &Services,
    slots: &mut HashMap<EndpointId, Rc<Slot>>,
    (origins, now): (&Origins, u32),
) -> ServiceView {
    let tls = route.settings.tls.as_ref();
    let mut usable = PerColor::from_fn(|_| Vec::new());
    let mut named = PerColor::from_fn(|_| Vec::new());
    for (color, endpoints) in route.colors.iter() {
        for endpoint in &endpoints.endpoints {
            let known = slots.get(&endpoint.endpoint.id);
            let slot = match known {
                Some(slot)
                    if slot.endpoint.address == endpoint.endpoint.address && slot.transport.is_by(tls) =>
                {
                    slot.update(endpoint.usable, endpoint.returns, now);
                    Rc::clone(slot)
                }
                // An endpoint of the same id at another address is another endpoint, and so is one with
                // another transport.
                _ => {
                    let transport = Transport::new(tls, origins);
                    let (usable, returns) = (endpoint.usable, endpoint.returns);
                    let slot = Rc::new(Slot::new(endpoint.endpoint.clone(), transport, usable, returns));
                    slots.insert(endpoint.endpoint.id.clone(), Rc::clone(&slot));
                    slot
                }
            };
            if endpoint.usable {
                usable[color].push(Rc::clone(&slot));
            }
            named[color].push(slot);
        }
    }
    let cell = services.cell(&route.name);
    for (color, counts) in cell.colors.iter() {
        let judged = color == route.judged();
        counts.evidence.configure(EvidenceSettings {
            slow_after: route.slow_after.filter(|_| judged),
            stall_after: route.stall_after.filter(|_| judged),
            failures: (route.baking || route.canary_percent > 0) && judged,
        });
        counts.ejected.set(usable[color].iter().filter(|slot| slot.is_ejected()).count());
    }
    ServiceView {
        route: Arc::clone(route),
        cell,
        request_limit: services.request_limit(route),
        usable,
        named,
    }
}
