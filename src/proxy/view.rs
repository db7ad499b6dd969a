//! A worker's view of the route table: the table itself, and the worker's own slots beside it.
//!
//! The view is rebuilt when the arc-swap holds another table than the one it was made of, which
//! is one load and one comparison a request. Whoever takes it, picks and counts within one turn
//! of the worker's loop has seen the current table: that is what an acknowledgement means.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::task::Waker;

use arc_swap::{ArcSwap, Cache};

use crate::model::{Color, EndpointId, PerColor};
use crate::routing::{RouteTable, ServiceRoute, pick_two};

use super::recorder::Wanted;
use super::service::{ServiceCell, Services};
use super::slot::{InFlight, Slot};

/// One service in the view.
#[derive(Debug)]
pub struct ServiceView {
    pub route: Arc<ServiceRoute>,
    pub cell: Rc<ServiceCell>,
    /// Endpoints that may be sent to.
    usable: PerColor<Vec<Rc<Slot>>>,
    /// All endpoints: what is named by no view is forgotten.
    _named: Vec<Rc<Slot>>,
}

/// What a request's host leads to.
#[derive(Clone, Debug)]
pub struct Target {
    pub service: Rc<ServiceView>,
    /// `Some` for a preview host.
    pub preview: Option<Color>,
}

impl ServiceView {
    /// Picks an endpoint of `color`, not one of `tried`, and counts the attempt in flight.
    pub fn pick(&self, color: Color, random: u64, tried: &[EndpointId]) -> Option<InFlight> {
        let usable = &self.usable[color];
        let slot = if tried.is_empty() {
            let index = pick_two(usable.len(), random, |index| load(usable, index))?;
            usable.get(index)?
        } else {
            usable
                .iter()
                .filter(|slot| !tried.contains(&slot.endpoint.id))
                .min_by_key(|slot| slot.inflight.get())?
        };
        Some(InFlight::new(Rc::clone(slot), Rc::clone(&self.cell), color))
    }

    /// Whether there is anything of `color` to send to.
    pub fn has_endpoint(&self, color: Color) -> bool {
        !self.usable[color].is_empty()
    }
}

fn load(slots: &[Rc<Slot>], index: usize) -> u32 {
    slots.get(index).map_or(u32::MAX, |slot| slot.inflight.get())
}

/// A request that is held because its service is paused.
#[derive(Debug, Default)]
pub struct Held {
    waker: RefCell<Option<Waker>>,
}

impl Held {
    /// Has the request woken when the table changes.
    pub fn wake(&self, waker: &Waker) {
        *self.waker.borrow_mut() = Some(waker.clone());
    }
}

/// The view, and what survives its changes.
#[derive(Debug)]
pub struct View {
    cache: RefCell<Cache<Arc<ArcSwap<RouteTable>>, Arc<RouteTable>>>,
    table: RefCell<Arc<RouteTable>>,
    services: RefCell<Vec<Rc<ServiceView>>>,
    slots: RefCell<HashMap<EndpointId, Rc<Slot>>>,
    /// Requests held because their service is paused.
    waiting: RefCell<Vec<Weak<Held>>>,
    rebuilt: Cell<u64>,
}

impl View {
    pub fn new(table: Arc<ArcSwap<RouteTable>>, services: &Services) -> Self {
        let mut cache = Cache::new(table);
        let first = Arc::clone(cache.load());
        let view = Self {
            cache: RefCell::new(cache),
            table: RefCell::new(Arc::clone(&first)),
            services: RefCell::default(),
            slots: RefCell::default(),
            waiting: RefCell::default(),
            rebuilt: Cell::new(0),
        };
        view.rebuild(first, services);
        view
    }

    /// Takes the current table; tells its generation.
    pub fn refresh(&self, services: &Services) -> u64 {
        let mut cache = self.cache.borrow_mut();
        let current = cache.load();
        let same = Arc::ptr_eq(current, &self.table.borrow());
        if !same {
            let current = Arc::clone(current);
            drop(cache);
            self.rebuild(current, services);
        }
        self.table.borrow().generation()
    }

    /// Looks a host up in the table that was taken last; `None` as host is a request without one.
    pub fn find(&self, host: Option<&[u8]>) -> Option<Target> {
        let table = self.table.borrow();
        let found = host.map_or_else(|| table.find_default(), |host| table.find(host))?;
        let service = Rc::clone(self.services.borrow().get(found.index)?);
        Some(Target { service, preview: found.preview })
    }

    /// The same service in the table that was taken last; `None` if it is gone.
    pub fn again(&self, service: &ServiceView) -> Option<Rc<ServiceView>> {
        self.services.borrow().iter().find(|other| other.route.name == service.route.name).map(Rc::clone)
    }

    /// A place for a request that waits for a change of the table; given up when it is dropped.
    pub fn held(&self) -> Rc<Held> {
        let held = Rc::new(Held::default());
        let mut waiting = self.waiting.borrow_mut();
        // At most half of the places are of requests that wait no more.
        if waiting.len() == waiting.capacity() {
            waiting.retain(|held| held.strong_count() > 0);
            let live = waiting.len();
            waiting.reserve(live.max(16));
        }
        waiting.push(Rc::downgrade(&held));
        held
    }

    /// Counts the rebuilds: tells whether the table has changed.
    pub fn rebuilt(&self) -> u64 {
        self.rebuilt.get()
    }

    pub fn for_each_slot(&self, mut visit: impl FnMut(&Slot)) {
        for slot in self.slots.borrow().values() {
            visit(slot);
        }
    }

    /// Closes upstream connections that were idle for too long, and forgets slots that no table
    /// names and no attempt holds (their idle connections go with them).
    pub fn sweep(&self, now: u32) {
        self.slots.borrow_mut().retain(|_, slot| {
            slot.sweep(now);
            Rc::strong_count(slot) > 1
        });
    }

    fn rebuild(&self, table: Arc<RouteTable>, services: &Services) {
        let mut slots = self.slots.borrow_mut();
        let before = self.services.take();
        let after = table.services().iter().enumerate().map(|(index, route)| {
            // An unchanged service keeps its place in most changes: look there first.
            let kept = before.get(index).filter(|view| Arc::ptr_eq(&view.route, route));
            let kept = kept.or_else(|| before.iter().find(|view| Arc::ptr_eq(&view.route, route)));
            kept.map_or_else(|| Rc::new(build(route, services, &mut slots)), Rc::clone)
        });
        let after = after.collect();
        *self.services.borrow_mut() = after;
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
) -> ServiceView {
    let mut usable = PerColor::from_fn(|_| Vec::new());
    let mut named = Vec::new();
    for (color, endpoints) in route.colors.iter() {
        for endpoint in &endpoints.endpoints {
            let known = slots.get(&endpoint.endpoint.id);
            let slot = match known {
                Some(slot) if slot.endpoint.address == endpoint.endpoint.address => Rc::clone(slot),
                // The same name at another address is another endpoint.
                _ => {
                    let slot = Rc::new(Slot::new(endpoint.endpoint.clone()));
                    slots.insert(endpoint.endpoint.id.clone(), Rc::clone(&slot));
                    slot
                }
            };
            if endpoint.usable {
                usable[color].push(Rc::clone(&slot));
            }
            named.push(slot);
        }
    }
    let cell = services.cell(&route.name);
    for (color, counts) in cell.colors.iter() {
        let judged = color == route.active;
        counts.evidence.want(Wanted {
            slow_after: route.slow_after.filter(|_| judged),
            failures: route.baking && judged,
        });
    }
    ServiceView { route: Arc::clone(route), cell, usable, _named: named }
}
