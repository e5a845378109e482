package org.authservice.operations;

import ch.qos.logback.classic.AsyncAppender;
import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.OutputStreamAppender;
import ch.qos.logback.core.encoder.Encoder;
import ch.qos.logback.core.encoder.LayoutWrappingEncoder;
import ch.qos.logback.core.rolling.RollingFileAppender;
import ch.qos.logback.core.rolling.SizeAndTimeBasedFileNamingAndTriggeringPolicy;
import ch.qos.logback.core.rolling.TimeBasedRollingPolicy;
import ch.qos.logback.core.util.Duration;
import ch.qos.logback.core.util.FileSize;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import net.logstash.logback.encoder.LogstashEncoder;
import org.authservice.settings.LogSettings;
import org.authservice.settings.LogSettings.RotatedFile;
import org.authservice.settings.StartFailure;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where log lines go: to the standard output, and to a file when one is set; as text for people or
 * as JSON for machines.
 */
public final class Logging {
  private static final Map<String, Level> QUIET =
      Map.of(
          "org.eclipse.jetty", Level.WARN,
          "org.flywaydb", Level.WARN,
          "com.zaxxer.hikari", Level.WARN);

  private Logging() {}

  /** Sets the log up. */
  public static void configure(LogSettings settings) {
    var context = (LoggerContext) LoggerFactory.getILoggerFactory();
    context.reset();
    Level level = Level.toLevel(settings.level());
    var root = context.getLogger(Logger.ROOT_LOGGER_NAME);
    // DEBUG is about this service; of its libraries it would be a flood.
    root.setLevel(level.isGreaterOrEqual(Level.INFO) ? level : Level.INFO);
    context.getLogger("org.authservice").setLevel(level);
    QUIET.forEach((name, quiet) -> context.getLogger(name).setLevel(quiet));

    root.addAppender(queued(new ConsoleAppender<>(), settings, context));
    settings
        .file()
        .ifPresent(file -> root.addAppender(queued(rotated(file, context), settings, context)));
  }

  /** For a command, which says itself what happened. */
  public static void silence() {
    var context = (LoggerContext) LoggerFactory.getILoggerFactory();
    context.reset();
    context.getLogger(Logger.ROOT_LOGGER_NAME).setLevel(Level.OFF);
  }

  /** Writes out what is still queued. */
  public static void flush() {
    ((LoggerContext) LoggerFactory.getILoggerFactory()).stop();
  }

  /** Nobody who logs waits for what it is written to. */
  private static AsyncAppender queued(
      OutputStreamAppender<ILoggingEvent> target, LogSettings settings, LoggerContext context) {
    Encoder<ILoggingEvent> encoder = settings.json() ? new LogstashEncoder() : text();
    encoder.setContext(context);
    encoder.start();
    target.setContext(context);
    target.setEncoder(encoder);
    target.start();
    var async = new AsyncAppender();
    async.setContext(context);
    async.setQueueSize(8192);
    async.setDiscardingThreshold(0);
    async.addAppender(target);
    async.start();
    return async;
  }

  private static RollingFileAppender<ILoggingEvent> rotated(
      RotatedFile file, LoggerContext context) {
    create(file.path());
    var appender =
        new RollingFileAppender<ILoggingEvent>() {
          @Override
          public void openFile(String name) throws IOException {
            create(Path.of(name));
            super.openFile(name);
          }
        };
    appender.setFile(file.path().toString());
    var trigger = new SizeAndTimeBasedFileNamingAndTriggeringPolicy<ILoggingEvent>();
    trigger.setMaxFileSize(new FileSize(file.megabytes() * FileSize.MB_COEFFICIENT));
    trigger.setCheckIncrement(Duration.buildBySeconds(1));
    var policy = new TimeBasedRollingPolicy<ILoggingEvent>();
    policy.setTimeBasedFileNamingAndTriggeringPolicy(trigger);
    policy.setContext(context);
    policy.setParent(appender);
    policy.setFileNamePattern(file.path() + ".%d{yyyy-MM-dd}.%i");
    policy.setMaxHistory(file.days());
    policy.setCleanHistoryOnStart(true);
    policy.start();
    appender.setRollingPolicy(policy);
    return appender;
  }

  /** Addresses are in it, so it is for its owner alone. */
  private static void create(Path file) {
    try {
      if (!Files.exists(file)) {
        Files.createFile(
            file,
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
      }
    } catch (IOException failure) {
      throw new StartFailure("LOG_FILE: cannot write " + file + ": " + failure, failure);
    }
    if (!Files.isWritable(file)) {
      throw new StartFailure("LOG_FILE: cannot write " + file);
    }
  }

  private static Encoder<ILoggingEvent> text() {
    var layout = new TextLayout();
    layout.start();
    var encoder = new LayoutWrappingEncoder<ILoggingEvent>();
    encoder.setCharset(StandardCharsets.UTF_8);
    encoder.setLayout(layout);
    return encoder;
  }
}
