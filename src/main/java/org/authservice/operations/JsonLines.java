package org.authservice.operations;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import java.time.OffsetDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Map;
import org.slf4j.event.KeyValuePair;

/**
 * One JSON object per event and line, with the members that log collectors know from Logstash. It
 * is written straight into the bytes that go out. For one thread.
 */
final class JsonLines implements LogWriter.Lines {
  private static final DateTimeFormatter SECOND =
      DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss");
  private static final DateTimeFormatter OFFSET = DateTimeFormatter.ofPattern("XXX");

  private long second = Long.MIN_VALUE;
  private String secondText = "";
  private String offsetText = "";

  @Override
  public void append(ILoggingEvent event, LineBuffer out) {
    out.text("{\"@timestamp\":\"");
    time(event.getTimeStamp(), out);
    out.text("\",\"@version\":\"1\",\"message\":").quoted(event.getFormattedMessage());
    out.text(",\"logger_name\":").quoted(event.getLoggerName());
    out.text(",\"thread_name\":").quoted(event.getThreadName());
    out.text(",\"level\":").quoted(event.getLevel().levelStr);
    out.text(",\"level_value\":").number(event.getLevel().levelInt);
    for (Map.Entry<String, String> each : event.getMDCPropertyMap().entrySet()) {
      out.text(",").quoted(each.getKey()).text(":").quoted(each.getValue());
    }
    if (event.getKeyValuePairs() != null) {
      for (KeyValuePair pair : event.getKeyValuePairs()) {
        out.text(",").quoted(pair.key).text(":");
        value(pair.value, out);
      }
    }
    if (event.getThrowableProxy() != null) {
      out.text(",\"stack_trace\":").quoted(ThrowableProxyUtil.asString(event.getThrowableProxy()));
    }
    out.text("}\n");
  }

  private static void value(Object value, LineBuffer out) {
    switch (value) {
      case String text -> out.quoted(text);
      case Integer number -> out.number(number);
      case Long number -> out.number(number);
      case Boolean flag -> out.text(flag.toString());
      case null -> out.text("null");
      default -> out.quoted(value.toString());
    }
  }

  /** Formatted once a second, which is what changes seldom enough to keep. */
  private void time(long millis, LineBuffer out) {
    long whole = Math.floorDiv(millis, 1000);
    if (whole != second) {
      second = whole;
      OffsetDateTime here = SystemZone.at(millis);
      secondText = SECOND.format(here);
      offsetText = OFFSET.format(here);
    }
    long rest = Math.floorMod(millis, 1000);
    out.text(secondText).text(rest < 10 ? ".00" : rest < 100 ? ".0" : ".").number(rest);
    out.text(offsetText);
  }
}
