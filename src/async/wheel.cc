#include "async/wheel.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include <boost/asio/steady_timer.hpp>

namespace herald {

namespace {

using Clock = std::chrono::steady_clock;
using Tick = std::int64_t;

constexpr Clock::duration tick_length = std::chrono::milliseconds{10};
constexpr std::size_t slot_count = 512;  // one turn takes 5 s
constexpr Tick never = std::numeric_limits<Tick>::max();

/// A ring of entries, linked through themselves: in and out in constant time without allocation.
struct Link {
    Link* previous = this;
    Link* next = this;

    Link() = default;
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;

    [[nodiscard]] bool alone() const { return next == this; }
    void insert_before(Link& place) {
        previous = place.previous;
        next = &place;
        previous->next = this;
        next->previous = this;
    }
    void unlink() {
        previous->next = next;
        next->previous = previous;
        previous = next = this;
    }
};

}  // namespace

struct Wheel::Deadline::Entry : Link {
    Tick due = 0;
    std::move_only_function<void()> action;
    State* wheel = nullptr;  ///< null once fired, disarmed, or when the wheel has gone
    bool fired = false;
};

struct Wheel::State : std::enable_shared_from_this<State> {
    using Entry = Deadline::Entry;

    explicit State(const boost::asio::any_io_executor& executor) : timer(executor) {}
    ~State() {
        for (Link& slot : slots) {
            while (!slot.alone()) {
                auto& entry = static_cast<Entry&>(*slot.next);
                entry.unlink();
                entry.wheel = nullptr;
            }
        }
    }

    [[nodiscard]] Tick tick_of(Clock::time_point time) const {
        return (time - started) / tick_length;
    }
    Link& slot_of(Tick tick) { return slots[static_cast<std::size_t>(tick) % slot_count]; }

    void add(Entry& entry) {
        entry.wheel = this;
        if (pending++ == 0) done = tick_of(Clock::now());
        entry.due = std::max(entry.due, done + 1);
        entry.insert_before(slot_of(entry.due));
        if (entry.due < wakes_at) sleep_until(entry.due);
    }

    void remove(Entry& entry) {
        entry.unlink();
        entry.wheel = nullptr;
        // An idle wheel must not keep the loop from ending.
        if (--pending == 0 && wakes_at != never) {
            wakes_at = never;
            timer.cancel();
        }
    }

    void sleep_until(Tick tick) {
        wakes_at = tick;
        timer.expires_at(started + tick * tick_length);
        timer.async_wait([weak = weak_from_this(), tick](boost::system::error_code error) {
            const auto self = weak.lock();
            // A sleep that was replaced by a shorter one may have ended already: tell by the tick.
            if (!error && self && self->wakes_at == tick) self->turn();
        });
    }

    /// Fires what is due and sleeps until the next slot that holds something.
    void turn() {
        const Tick now = tick_of(Clock::now());
        wakes_at = never;
        Link due;
        const Tick last_turn = now - static_cast<Tick>(slot_count);
        for (Tick tick = std::max(done, last_turn) + 1; tick <= now; ++tick) {
            collect(slot_of(tick), now, due);
        }
        done = now;
        while (!due.alone()) {
            auto& entry = static_cast<Entry&>(*due.next);
            // The action may end the life of its own Deadline: it must not run out of it.
            auto action = std::move(entry.action);
            remove(entry);
            entry.fired = true;
            action();
        }
        if (pending == 0) return;
        if (const Tick next = next_busy(); next < wakes_at) sleep_until(next);
    }

    static void collect(Link& slot, Tick now, Link& due) {
        for (Link* at = slot.next; at != &slot;) {
            auto& entry = static_cast<Entry&>(*at);
            at = at->next;
            if (entry.due > now) continue;  // of a later turn of the wheel
            entry.unlink();
            entry.insert_before(due);
        }
    }

    [[nodiscard]] Tick next_busy() {
        Tick tick = done + 1;
        while (slot_of(tick).alone() && tick < done + static_cast<Tick>(slot_count)) ++tick;
        return tick;
    }

    boost::asio::steady_timer timer;
    Clock::time_point started = Clock::now();
    std::array<Link, slot_count> slots;
    std::size_t pending = 0;
    Tick done = 0;  ///< all slots up to here have been looked at
    Tick wakes_at = never;  ///< when the timer ends; never: it does not run
};

Wheel::Wheel(boost::asio::any_io_executor executor) : state_(std::make_shared<State>(executor)) {}

Wheel::~Wheel() = default;

Wheel::Deadline Wheel::arm(std::chrono::steady_clock::duration after,
                           std::move_only_function<void()> action) {
    Deadline deadline;
    deadline.entry_ = std::make_shared<Deadline::Entry>();
    auto& entry = *deadline.entry_;
    entry.action = std::move(action);
    const auto now = Clock::now() - state_->started;
    // Longer waits than a century are none; this keeps the sum from overflowing.
    const auto bounded =
        std::clamp<Clock::duration>(after, Clock::duration{0}, std::chrono::hours{24 * 36'500});
    // Rounded up: a deadline never fires early.
    entry.due = (now + bounded + tick_length - Clock::duration{1}) / tick_length;
    state_->add(entry);
    return deadline;
}

Wheel::Deadline::Deadline(Deadline&& other) noexcept : entry_(std::move(other.entry_)) {}

Wheel::Deadline& Wheel::Deadline::operator=(Deadline&& other) noexcept {
    if (this != &other) {
        disarm();
        entry_ = std::move(other.entry_);
    }
    return *this;
}

void Wheel::Deadline::disarm() {
    if (!entry_ || entry_->wheel == nullptr) return;
    entry_->wheel->remove(*entry_);
    entry_->action = nullptr;
}

bool Wheel::Deadline::fired() const { return entry_ && entry_->fired; }

}  // namespace herald
