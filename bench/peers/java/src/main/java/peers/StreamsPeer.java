package peers;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.ProcessorSupplier;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.BuiltInDslStoreSuppliers;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/** Kafka Streams. BENCH_MODE: dsl (grouped, windowed, counted) or papi (a store per task, no repartition topic). */
public final class StreamsPeer {
    private static final Event REFUSED = new Event();
    private static final Map<String, Long> WINDOWS = new ConcurrentHashMap<>();
    private static final LongAdder COUNTED = new LongAdder();

    private StreamsPeer() {}

    public static void main(String[] arguments) throws Exception {
        List<Sink> sinks = Collections.synchronizedList(new ArrayList<>());
        ThreadLocal<Sink> sink = ThreadLocal.withInitial(() -> {
            Sink made = new Sink();
            sinks.add(made);
            return made;
        });
        StreamsBuilder builder = new StreamsBuilder();
        Serde<Event> serde = Serdes.serdeFrom((topic, event) -> new byte[0], (topic, value) -> {
            Event event = Job.take(value);
            return event == null ? REFUSED : event;
        });
        KStream<String, Event> events = builder
            .stream(Job.TOPIC, Consumed.with(Serdes.String(), serde).withTimestampExtractor((record, before) ->
                record.value() == REFUSED ? Math.max(0, before) : ((Event) record.value()).atMs))
            .filter((key, event) -> event != REFUSED);
        if (Sink.wanted()) {
            events = events.peek((key, event) -> sink.get().add(event));
        }
        if (Job.MODE.equals("dsl")) {
            countByTheLanguage(events);
        } else {
            events.process(new ByProcessor());
        }
        KafkaStreams streams = new KafkaStreams(builder.build(settings()), settings());
        streams.start();
        while (Job.SEEN.sum() < Job.RECORDS || counted() < Job.VALID.sum()) {
            Thread.sleep(50);
        }
        streams.close(Duration.ofSeconds(30));
        sinks.forEach(Sink::flush);
        Job.tell(WINDOWS, Sink.wanted() ? Sink.ROWS.get() : null);
        System.exit(0);
    }

    private static long counted() {
        // A window is told when the cache is flushed: wait until the counts add up.
        return Job.MODE.equals("dsl") ? WINDOWS.values().stream().mapToLong(Long::longValue).sum() : COUNTED.sum();
    }

    private static void countByTheLanguage(KStream<String, Event> events) {
        events.map((key, event) -> KeyValue.pair(event.key(), "")) // only the key is needed after this
            .groupByKey(Grouped.with(Serdes.String(), Serdes.String()))
            .windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofMinutes(1), Duration.ofMinutes(60)))
            .count(Materialized.with(Serdes.String(), Serdes.Long()))
            .toStream()
            .foreach((window, count) -> WINDOWS.put(window.window().start() / 1000 + "|" + window.key(), count));
    }

    private static final class ByProcessor implements ProcessorSupplier<String, Event, Void, Void> {
        @Override
        public Set<StoreBuilder<?>> stores() {
            return Set.of(Stores.keyValueStoreBuilder(
                Stores.inMemoryKeyValueStore("windows"), Serdes.String(), Serdes.Long()).withCachingEnabled());
        }

        @Override
        public Processor<String, Event, Void, Void> get() {
            return new Processor<>() {
                private KeyValueStore<String, Long> store;

                @Override
                public void init(ProcessorContext<Void, Void> context) {
                    store = context.getStateStore("windows");
                }

                @Override
                public void process(Record<String, Event> record) {
                    String window = record.value().window();
                    Long before = store.get(window);
                    store.put(window, before == null ? 1L : before + 1L);
                    COUNTED.increment();
                }

                @Override
                public void close() {
                    try (var all = store.all()) {
                        all.forEachRemaining(one -> WINDOWS.merge(one.key, one.value, Long::sum));
                    }
                }
            };
        }
    }

    private static Properties settings() {
        Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, Job.GROUP);
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, Job.BOOTSTRAP);
        settings.put(StreamsConfig.STATE_DIR_CONFIG, Job.STATE);
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 2);
        settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 5000);
        settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 64L << 20);
        settings.put(
            StreamsConfig.DSL_STORE_SUPPLIERS_CLASS_CONFIG, BuiltInDslStoreSuppliers.InMemoryDslStoreSuppliers.class);
        settings.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), 5000);
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG), 4 << 20);
        settings.put(StreamsConfig.producerPrefix(ProducerConfig.COMPRESSION_TYPE_CONFIG), "lz4");
        settings.put(StreamsConfig.producerPrefix(ProducerConfig.LINGER_MS_CONFIG), 50);
        settings.put(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), 262_144);
        settings.put(StreamsConfig.MAX_TASK_IDLE_MS_CONFIG, 0);
        return settings;
    }
}
