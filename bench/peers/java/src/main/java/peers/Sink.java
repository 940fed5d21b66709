package peers;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.concurrent.atomic.AtomicLong;

/** Gathers rows as lines of JSON and posts them to ClickHouse's HTTP interface. One for each thread. */
final class Sink {
    static final AtomicLong ROWS = new AtomicLong();
    private static final String ADDRESS = System.getenv().getOrDefault("BENCH_SINK", "");
    private static final int ROWS_AT_ONCE = 20_000;
    private static final HttpClient CLIENT = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final ByteArrayOutputStream lines = new ByteArrayOutputStream(8 << 20);
    private final JsonGenerator generator;
    private int rows;

    Sink() {
        try {
            generator = Job.MAPPER.getFactory().createGenerator(lines).setRootValueSeparator(null);
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
    }

    static boolean wanted() {
        return !ADDRESS.isEmpty();
    }

    void add(Event event) {
        try {
            generator.writeStartObject();
            generator.writeStringField("event_id", event.id);
            generator.writeNumberField("event_time", event.atMs / 1000);
            generator.writeStringField("uai", event.uai());
            generator.writeStringField("school", event.school);
            generator.writeStringField("class_id", event.data.classes.get(0));
            generator.writeStringField("levels", event.levels);
            generator.writeStringField("profile", event.data.profile);
            generator.writeStringField("app", event.data.app);
            generator.writeStringField("user", event.data.user);
            generator.writeStringField("session", event.data.session);
            generator.writeStringField("device", event.data.device);
            generator.writeEndObject();
            generator.writeRaw('\n');
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        if (++rows >= ROWS_AT_ONCE) {
            flush();
        }
    }

    void flush() {
        if (rows == 0) {
            return;
        }
        try {
            generator.flush();
            String statement = "INSERT INTO " + System.getenv("BENCH_SINK_TABLE") + " FORMAT JSONEachRow";
            String login = Base64.getEncoder()
                .encodeToString(System.getenv("BENCH_SINK_LOGIN").getBytes(StandardCharsets.UTF_8));
            URI target = URI.create(
                "http://" + ADDRESS + "/?query=" + URLEncoder.encode(statement, StandardCharsets.UTF_8));
            HttpRequest request = HttpRequest.newBuilder(target).header("Authorization", "Basic " + login)
                .POST(HttpRequest.BodyPublishers.ofByteArray(lines.toByteArray())).build();
            HttpResponse<String> answer = CLIENT.send(request, HttpResponse.BodyHandlers.ofString());
            if (answer.statusCode() != 200) {
                throw new IllegalStateException(answer.body());
            }
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        } catch (InterruptedException stopped) {
            throw new IllegalStateException(stopped);
        }
        ROWS.addAndGet(rows);
        rows = 0;
        lines.reset();
    }
}
