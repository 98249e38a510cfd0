package component

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"carillon/component/call"
)

// metrics is what operators see of a component.  No address is in a label, and every label has few values: an outcome is one of call.Outcomes.
type metrics struct {
	registry *prometheus.Registry
	calls    *prometheus.CounterVec   // by direction, outcome
	duration *prometheus.HistogramVec // by direction
	refused  *prometheus.CounterVec   // by direction, limit
	panics   *prometheus.CounterVec   // by where
	overflow prometheus.Counter
}

func newMetrics(c *Component) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "carillon_calls_total", Help: "Calls that ended, by direction and outcome.",
		}, []string{"direction", "outcome"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "carillon_call_duration_seconds", Help: "From the beginning of an attempt to its end.",
			Buckets: []float64{1, 5, 15, 30, 60, 300, 900, 3600, 14400},
		}, []string{"direction"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "carillon_calls_refused_total", Help: "Calls that never began because of this service's policy, by direction and the limit that they met.",
		}, []string{"direction", "limit"}),
		panics: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "carillon_panics_total", Help: "Faults of this program that ended one call, one stanza or one frame, by where they were caught.",
		}, []string{"where"}),
		overflow: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "carillon_inbox_overflow_total", Help: "Calls ended because they could not keep up with what was sent to them.",
		}),
	}
	for _, where := range []string{inCall, inStream, inGateway} {
		m.panics.WithLabelValues(where) // so that it is there before the first
	}
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		m.calls, m.duration, m.refused, m.panics, m.overflow, statsCollector{c},
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "carillon_build_info", Help: "Always 1.", ConstLabels: prometheus.Labels{"version": c.cfg.Version},
		}, func() float64 { return 1 }))
	return m
}

// Where a panic was caught.
const (
	inCall    = "call"
	inStream  = "stream"
	inGateway = "gateway"
)

// panicked returns what counts a panic there.
func (m *metrics) panicked(where string) func() { return m.panics.WithLabelValues(where).Inc }

// ended counts a call.
func (m *metrics) ended(direction string, o call.Outcome, lasted time.Duration) {
	m.calls.WithLabelValues(direction, string(o)).Inc()
	m.duration.WithLabelValues(direction).Observe(lasted.Seconds())
}

// statsCollector shows Stats as gauges.
type statsCollector struct{ c *Component }

var (
	descConnected = prometheus.NewDesc("carillon_component_connected", "1 while the XMPP server is connected.", nil, nil)
	descCalls     = prometheus.NewDesc("carillon_calls_active", "Calls under way, those that ring included.", nil, nil)
	descAddresses = prometheus.NewDesc("carillon_addresses_active", "Addresses with a page open.", nil, nil)
	descPages     = prometheus.NewDesc("carillon_pages_active", "Pages attached to an address.", nil, nil)
	descRooms     = prometheus.NewDesc("carillon_rooms_active", "Rooms with somebody in them.", nil, nil)
	descMembers   = prometheus.NewDesc("carillon_room_members_active", "People in rooms.", nil, nil)
)

// Describe implements prometheus.Collector.
func (s statsCollector) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(s, ch) }

// Collect implements prometheus.Collector.
func (s statsCollector) Collect(ch chan<- prometheus.Metric) {
	stats := s.c.Stats()
	linked := 0
	if stats.Linked {
		linked = 1
	}
	for desc, n := range map[*prometheus.Desc]int{
		descConnected: linked, descCalls: stats.Calls, descAddresses: stats.Ghosts, descPages: stats.Tabs,
		descRooms: stats.Rooms, descMembers: stats.Members,
	} {
		ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, float64(n))
	}
}

// Metrics serves the metrics in the OpenMetrics and Prometheus formats.  It belongs on a listener that strangers cannot reach.
func (c *Component) Metrics() http.Handler {
	return promhttp.HandlerFor(c.metrics.registry, promhttp.HandlerOpts{EnableOpenMetrics: true})
}
