package peers;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.AggregateFunction;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.connector.sink2.SinkWriter;
import org.apache.flink.api.connector.sink2.WriterInitContext;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.windowing.ProcessWindowFunction;
import org.apache.flink.streaming.api.windowing.assigners.TumblingEventTimeWindows;
import org.apache.flink.streaming.api.windowing.windows.TimeWindow;
import org.apache.flink.util.Collector;

/** Flink's DataStream API on a local cluster: event-time tumbling windows, counted as they come. */
public final class FlinkPeer {
    private static final Map<String, Long> WINDOWS = new ConcurrentHashMap<>();

    private FlinkPeer() {}

    public static void main(String[] arguments) throws Exception {
        Configuration settings = new Configuration();
        settings.set(TaskManagerOptions.MANAGED_MEMORY_SIZE, MemorySize.ofMebiBytes(64));
        settings.set(TaskManagerOptions.NETWORK_MEMORY_MIN, MemorySize.ofMebiBytes(64));
        settings.set(TaskManagerOptions.NETWORK_MEMORY_MAX, MemorySize.ofMebiBytes(64));
        settings.set(PipelineOptions.OBJECT_REUSE, true);
        StreamExecutionEnvironment environment = StreamExecutionEnvironment.createLocalEnvironment(2, settings);
        environment.enableCheckpointing(5000);
        KafkaSource<Event> source = KafkaSource.<Event>builder()
            .setBootstrapServers(Job.BOOTSTRAP).setTopics(Job.TOPIC).setGroupId(Job.GROUP)
            .setStartingOffsets(OffsetsInitializer.earliest()).setBounded(OffsetsInitializer.latest())
            .setProperty("max.poll.records", "5000")
            .setProperty("max.partition.fetch.bytes", String.valueOf(4 << 20))
            .setValueOnlyDeserializer(new Decoding()).build();
        SingleOutputStreamOperator<Event> events = environment.fromSource(
            source,
            WatermarkStrategy.<Event>forBoundedOutOfOrderness(Duration.ofSeconds(30))
                .withTimestampAssigner((event, before) -> event.atMs),
            "kafka");
        if (Sink.wanted()) {
            events.sinkTo(new Rows());
        }
        // Only the key is needed after this; the time travels with the record.
        events.map(event -> Tuple2.of(event.uai(), event.data.app)).returns(Types.TUPLE(Types.STRING, Types.STRING))
            .keyBy(key -> key, Types.TUPLE(Types.STRING, Types.STRING))
            .window(TumblingEventTimeWindows.of(Duration.ofMinutes(1)))
            .aggregate(new Count(), new Tell(), Types.LONG, Types.LONG, Types.TUPLE(Types.STRING, Types.LONG))
            .sinkTo(new Result()).setParallelism(1);
        environment.execute("peer");
        Job.tell(WINDOWS, Sink.wanted() ? Sink.ROWS.get() : null);
        System.exit(0);
    }

    private static final class Decoding implements DeserializationSchema<Event> {
        @Override
        public Event deserialize(byte[] value) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void deserialize(byte[] value, Collector<Event> out) {
            Event event = Job.take(value);
            if (event != null) {
                out.collect(event);
            }
        }

        @Override
        public boolean isEndOfStream(Event event) {
            return false;
        }

        @Override
        public TypeInformation<Event> getProducedType() {
            return Types.POJO(Event.class);
        }
    }

    private static final class Count implements AggregateFunction<Tuple2<String, String>, Long, Long> {
        @Override
        public Long createAccumulator() {
            return 0L;
        }

        @Override
        public Long add(Tuple2<String, String> key, Long count) {
            return count + 1;
        }

        @Override
        public Long getResult(Long count) {
            return count;
        }

        @Override
        public Long merge(Long one, Long other) {
            return one + other;
        }
    }

    private static final class Tell
        extends ProcessWindowFunction<Long, Tuple2<String, Long>, Tuple2<String, String>, TimeWindow> {
        @Override
        public void process(
            Tuple2<String, String> key, Context context, Iterable<Long> count, Collector<Tuple2<String, Long>> out) {
            String window = context.window().getStart() / 1000 + "|" + key.f0 + "|" + key.f1;
            out.collect(Tuple2.of(window, count.iterator().next()));
        }
    }

    private static final class Result implements org.apache.flink.api.connector.sink2.Sink<Tuple2<String, Long>> {
        @Override
        public SinkWriter<Tuple2<String, Long>> createWriter(WriterInitContext context) {
            return new SinkWriter<>() {
                @Override
                public void write(Tuple2<String, Long> window, Context at) {
                    WINDOWS.merge(window.f0, window.f1, Long::sum);
                }

                @Override
                public void flush(boolean end) {}

                @Override
                public void close() {}
            };
        }
    }

    private static final class Rows implements org.apache.flink.api.connector.sink2.Sink<Event> {
        @Override
        public SinkWriter<Event> createWriter(WriterInitContext context) {
            Sink sink = new Sink();
            return new SinkWriter<>() {
                @Override
                public void write(Event event, Context at) {
                    sink.add(event);
                }

                @Override
                public void flush(boolean end) {
                    sink.flush();
                }

                @Override
                public void close() {
                    sink.flush();
                }
            };
        }
    }
}
