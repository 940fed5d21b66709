package peers;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.cfg.CoercionAction;
import com.fasterxml.jackson.databind.cfg.CoercionInputShape;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.type.LogicalType;
import com.fasterxml.jackson.module.blackbird.BlackbirdModule;
import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.LongAdder;

/** The job as both Java peers do it: decode, validate, enrich; and how the result is told. */
final class Job {
    static final String BOOTSTRAP = System.getenv("BENCH_BOOTSTRAP");
    static final String TOPIC = System.getenv("BENCH_TOPIC");
    static final String GROUP = System.getenv("BENCH_GROUP");
    static final String STATE = System.getenv("BENCH_STATE");
    static final String MODE = System.getenv().getOrDefault("BENCH_MODE", "");
    static final long RECORDS = Long.parseLong(System.getenv("BENCH_RECORDS"));
    static final LongAdder SEEN = new LongAdder();
    static final LongAdder VALID = new LongAdder();
    static final ObjectMapper MAPPER = JsonMapper.builder()
        .addModule(new BlackbirdModule())
        .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
        .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
        .withCoercionConfig(
            LogicalType.Textual, c -> c.setCoercion(CoercionInputShape.Integer, CoercionAction.Fail))
        .build();
    private static final ObjectReader READER = MAPPER.readerFor(Event.class);
    private static final Set<String> PROFILES = Set.of("eleve", "parent", "enseignant", "personnel", "autre");
    private static final Map<String, String[]> CLASSES = classes();
    private static volatile double startCpuS = -1;

    private Job() {}

    /** The event of a record, enriched; null if it is refused. */
    static Event take(byte[] value) {
        if (startCpuS < 0) {
            startCpuS = cpuS();
        }
        SEEN.increment();
        Event event;
        try {
            event = READER.readValue(value);
            if (event.data == null || event.time == null || event.data.uai == null || event.data.classes == null) {
                return null;
            }
            event.atMs = Instant.parse(event.time).toEpochMilli();
        } catch (IOException | DateTimeParseException refused) {
            return null;
        }
        String[] found = event.data.uai.isEmpty() || event.data.classes.isEmpty()
            ? null : CLASSES.get(event.uai() + "|" + event.data.classes.get(0));
        boolean valid = found != null && "1.0".equals(event.specversion) && event.data.app != null
            && event.id != null && !event.id.isEmpty() && event.id.length() <= 128
            && event.data.profile != null && PROFILES.contains(event.data.profile);
        if (!valid) {
            return null;
        }
        event.school = found[0];
        event.levels = found[1];
        VALID.increment();
        return event;
    }

    /** Print the result; `windows` is minute|school|application -> events. */
    static void tell(Map<String, Long> windows, Long inserted) throws Exception {
        MessageDigest made = MessageDigest.getInstance("SHA-256");
        for (Map.Entry<String, Long> one : new TreeMap<>(windows).entrySet()) {
            made.update((one.getKey() + "|" + one.getValue() + "\n").getBytes(StandardCharsets.UTF_8));
        }
        String digest = HexFormat.of().formatHex(made.digest()).substring(0, 16);
        System.out.println("RESULT " + MAPPER.createObjectNode()
            .put("seen", SEEN.sum()).put("valid", VALID.sum()).put("digest", digest)
            .put("inserted", inserted).put("start_cpu_s", startCpuS));
        System.out.flush();
    }

    private static double cpuS() {
        var system = (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        return system.getProcessCpuTime() / 1e9;
    }

    private static Map<String, String[]> classes() {
        try {
            Map<String, String[]> found = new HashMap<>();
            MAPPER.readTree(new File(System.getenv("BENCH_CLASSES"))).properties().forEach(one ->
                found.put(one.getKey(), new String[] {one.getValue().get(0).asText(), one.getValue().get(1).asText()}));
            return found;
        } catch (IOException missing) {
            throw new IllegalStateException(missing);
        }
    }
}
