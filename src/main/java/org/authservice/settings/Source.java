package org.authservice.settings;

import inet.ipaddr.AddressStringParameters.RangeParameters;
import inet.ipaddr.IPAddress;
import inet.ipaddr.IPAddressString;
import inet.ipaddr.IPAddressStringParameters;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.authservice.json.Json;
import org.authservice.json.JsonObject;
import org.authservice.json.MalformedJson;
import org.authservice.secret.Secret;
import org.jspecify.annotations.Nullable;

/** Typed access to raw values; collects what is wrong with them. */
final class Source {
  private static final Pattern RATE = Pattern.compile("([1-9][0-9]{0,6})/(second|minute|hour|day)");

  /** Without the wildcards, ranges, masks and octal forms that the library reads as well. */
  private static final IPAddressStringParameters PLAIN_NETWORKS =
      new IPAddressStringParameters.Builder()
          .allowEmpty(false)
          .allowAll(false)
          .allowSingleSegment(false)
          .allowMask(false)
          .allowPrefixOnly(false)
          .allowWildcardedSeparator(false)
          .allow_inet_aton(false)
          .setRangeOptions(RangeParameters.NO_RANGE)
          .toParams();

  private final Map<String, String> environment;
  private final Map<String, String> file;
  private final Map<String, String> problems = new LinkedHashMap<>();
  private final Map<String, String> origins = new LinkedHashMap<>();

  Source(Map<String, String> environment, Map<String, String> file) {
    this.environment = environment;
    this.file = file;
  }

  List<String> problems() {
    return List.copyOf(problems.values());
  }

  /** One line per setting: what is wrong, and what would be right. */
  void reject(String name, String what) {
    Setting setting = Objects.requireNonNull(Catalogue.BY_NAME.get(name), name);
    problems.putIfAbsent(
        name, name + ": " + what + "; for example " + name + "=" + setting.example());
  }

  void require(String name, String why) {
    if (text(name).isEmpty()) {
      reject(name, "it is not set, and " + why);
    }
  }

  /** Says where a value came from that was found nowhere. */
  void originOf(String name, String origin) {
    origins.put(name, origin);
  }

  /** The value; one that is set to nothing counts as not set. */
  Optional<String> text(String name) {
    return Optional.ofNullable(raw(name)).map(String::strip).filter(it -> !it.isEmpty());
  }

  int number(String name, int fallback, int least, int most) {
    Optional<String> text = text(name);
    if (text.isEmpty()) {
      return fallback;
    }
    try {
      int number = Integer.parseInt(text.get());
      if (number >= least && number <= most) {
        return number;
      }
    } catch (NumberFormatException notOne) {
      reject(name, "it must be a whole number from " + least + " to " + most);
      return fallback;
    }
    reject(name, "it must be from " + least + " to " + most);
    return fallback;
  }

  boolean flag(String name, boolean fallback) {
    return word(name, Map.of("true", true, "false", false, "1", true, "0", false), fallback);
  }

  <T> T word(String name, Map<String, T> words, T fallback) {
    Optional<String> text = text(name);
    if (text.isEmpty()) {
      return fallback;
    }
    for (var word : words.entrySet()) {
      if (word.getKey().equalsIgnoreCase(text.get())) {
        return word.getValue();
      }
    }
    reject(name, "it must be one of " + String.join(", ", new TreeMap<>(words).keySet()));
    return fallback;
  }

  /** A JSON list of strings; one plain value is a list of one. */
  List<String> list(String name, List<String> fallback) {
    Optional<String> text = text(name);
    if (text.isEmpty()) {
      return fallback;
    }
    if (!text.get().startsWith("[")) {
      return List.of(text.get());
    }
    List<String> items = new ArrayList<>();
    if (json(name, text.get()) instanceof List<?> values) {
      for (Object value : values) {
        if (!(value instanceof String item)) {
          reject(name, "it must be a JSON list of strings");
          return fallback;
        }
        items.add(item);
      }
      return items;
    }
    reject(name, "it must be a JSON list of strings");
    return fallback;
  }

  /** A JSON list of objects. */
  List<JsonObject> objects(String name) {
    Optional<String> text = text(name);
    if (text.isEmpty()) {
      return List.of();
    }
    List<JsonObject> objects = new ArrayList<>();
    if (json(name, text.get()) instanceof List<?> items) {
      for (Object item : items) {
        if (item instanceof JsonObject object) {
          objects.add(object);
        }
      }
      if (objects.size() == items.size()) {
        return objects;
      }
    }
    reject(name, "it must be a JSON list of objects");
    return List.of();
  }

  List<String> networkList(String name) {
    List<String> networks = list(name, List.of());
    networks.forEach(network -> requireNetwork(name, network));
    return networks;
  }

  Map<String, Integer> networks(String name) {
    Map<String, Integer> networks = new LinkedHashMap<>();
    object(name)
        .forEach((network, value) -> {
          requireNetwork(name, network);
          if (value instanceof Long perMinute && perMinute > 0 && perMinute <= 10_000_000) {
            networks.put(network, perMinute.intValue());
          } else {
            reject(name, "\"" + network + "\" needs a whole number of requests per minute");
          }
        });
    return networks;
  }

  /** A JSON object of secrets by name. */
  Map<String, Secret> secrets(String name) {
    Map<String, Secret> secrets = new LinkedHashMap<>();
    object(name)
        .forEach((id, value) -> {
          if (!id.matches("[\\x21-\\x7e]{1,100}")) {
            reject(name, "an id must have 1 to 100 visible ASCII characters");
          } else if (value instanceof String secret && secret.matches("[\\x20-\\x7e]{1,200}")) {
            secrets.put(id, Secret.of(secret));
          } else {
            reject(name, "\"" + id + "\" needs a secret of 1 to 200 ASCII characters");
          }
        });
    return secrets;
  }

  Map<String, LimitSettings.Rate> rates(String name) {
    Map<String, LimitSettings.Rate> rates = new LinkedHashMap<>();
    object(name)
        .forEach((endpoint, value) -> {
          Matcher rate = RATE.matcher(value instanceof String text ? text : "");
          if (rate.matches() && endpoint.matches("[A-Z]+ /\\S*")) {
            rates.put(
                endpoint,
                new LimitSettings.Rate(Integer.parseInt(rate.group(1)), period(rate.group(2))));
          } else {
            reject(name, "\"" + endpoint + "\" must be a method and a path with a rate");
          }
        });
    return rates;
  }

  /** Every setting as it may be shown. */
  List<SettingsReader.Effective> effective() {
    return Catalogue.ALL.stream().map(this::effective).toList();
  }

  private SettingsReader.Effective effective(Setting setting) {
    String name = setting.name();
    Optional<String> value = text(name);
    if (value.isEmpty()) {
      String origin = origins.getOrDefault(name, "default");
      String shown = origin.equals("default") ? setting.fallback() : "****";
      return new SettingsReader.Effective(name, shown, origin);
    }
    String origin = environment.containsKey(name) ? "environment" : DotEnv.FILE;
    return new SettingsReader.Effective(name, shown(setting, value.get()), origin);
  }

  /** Of a database URL everything but the password is worth seeing. */
  private static String shown(Setting setting, String value) {
    if (setting.name().startsWith("DATABASE_") && setting.name().endsWith("URL")) {
      return DatabaseUrl.masked(value);
    }
    return setting.secret() ? "****" : value;
  }

  /** All values whose names begin so. */
  Map<String, String> startingWith(String prefix) {
    Map<String, String> found = new TreeMap<>(file);
    found.putAll(environment);
    found.keySet().removeIf(name -> !name.startsWith(prefix));
    return found;
  }

  private @Nullable String raw(String name) {
    String value = environment.get(name);
    return value == null ? file.get(name) : value;
  }

  private Map<String, @Nullable Object> object(String name) {
    Optional<String> text = text(name);
    if (text.isEmpty()) {
      return Map.of();
    }
    if (json(name, text.get()) instanceof JsonObject object) {
      return object.members();
    }
    reject(name, "it must be a JSON object");
    return Map.of();
  }

  private @Nullable Object json(String name, String text) {
    try {
      Json.Parsed parsed = Json.parse(text.getBytes(StandardCharsets.UTF_8));
      parsed.repeated().forEach(member -> reject(name, "\"" + member + "\" is there twice"));
      return parsed.value();
    } catch (MalformedJson malformed) {
      reject(name, "it cannot be read as JSON: " + malformed.getMessage());
      return null;
    }
  }

  private void requireNetwork(String name, String network) {
    IPAddress address = new IPAddressString(network, PLAIN_NETWORKS).getAddress();
    if (address == null) {
      reject(name, "\"" + network + "\" is not a network");
    } else if (address.isPrefixed() && !address.isPrefixBlock()) {
      reject(
          name,
          "\"%s\" has bits behind its prefix; the network is %s"
              .formatted(network, address.toPrefixBlock().toCanonicalString()));
    }
  }

  private static Duration period(String unit) {
    return switch (unit.toLowerCase(Locale.ROOT)) {
      case "second" -> Duration.ofSeconds(1);
      case "minute" -> Duration.ofMinutes(1);
      case "hour" -> Duration.ofHours(1);
      default -> Duration.ofDays(1);
    };
  }
}
