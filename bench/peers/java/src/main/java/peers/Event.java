package peers;

import java.util.List;

/** A CloudEvent of the topic, and what enrichment adds. */
public class Event {
    public String specversion;
    public String id;
    public String source;
    public String type;
    public String time;
    public Data data;
    public long atMs;
    public String school;
    public String levels;

    /** What an application visit says. */
    public static class Data {
        public List<String> uai;
        public List<String> classes;
        public String profile;
        public String user;
        public String session;
        public String app;
        public String channel;
        public String device;
    }

    String uai() {
        return data.uai.get(0);
    }

    /** School and application: what is counted by. */
    String key() {
        return uai() + "|" + data.app;
    }

    String window() {
        return atMs / 60_000 * 60 + "|" + key();
    }
}
