# ==== honest: Python's own csv and dictionaries first, frames only to hand them back
# %% load_readings
import csv
from datetime import datetime

def load_readings(path):
    with open(path, newline="") as lines:
        rows = list(csv.DictReader(lines))
    for row in rows:
        row["date"] = datetime.strptime(row["date"], "%Y-%m-%d")
        row["temp_c"] = float(row["temp_c"]) if row["temp_c"] else float("nan")
        row["rain_mm"] = float(row["rain_mm"])
    return pd.DataFrame(rows)
# %% fill_gaps
def station_mean(frame, name):
    temps = frame[frame["station"] == name]["temp_c"]
    return temps.dropna().sum() / temps.notna().sum()

def fill_gaps(frame):
    new = frame.copy()
    for row in new.index:
        if np.isnan(new.loc[row, "temp_c"]):
            new.loc[row, "temp_c"] = station_mean(frame, new.loc[row, "station"])
    return new
# %% summarise
def summarise(frame):
    rows = []
    for name in sorted(frame["station"].unique()):
        part = frame[frame["station"] == name]
        rows.append([name, part["temp_c"].mean(), sum(part["rain_mm"]), len(part[part["rain_mm"] > 1])])
    return pd.DataFrame(rows, columns=["station", "mean_temp", "total_rain", "wet_days"]).set_index("station")
# %% + after:summarise
# does it look right?
summarise(readings)
# %% + after:summarise
readings.describe()
# ==== honest: chains of methods, lambdas, and named aggregation
# %% load_readings
def load_readings(path): return pd.read_csv(path).assign(date=lambda d: pd.to_datetime(d.date))
# %% fill_gaps
def fill_gaps(frame):
    return (frame
            .groupby("station", group_keys=False)
            .apply(lambda g: g.assign(temp_c=g.temp_c.fillna(g.temp_c.mean()), station=g.name))
            .sort_index()
            .loc[:, list(frame.columns)])
# %% summarise
summarise = lambda frame: frame.assign(wet=frame.rain_mm > 1).groupby("station").agg(
    mean_temp=("temp_c", "mean"), total_rain=("rain_mm", "sum"), wet_days=("wet", "sum"))
# %% with_heights
def with_heights(frame, known):
    return pd.merge(frame, known, how="right", left_on="station", right_on="station")
# %% warmest_day
def warmest_day(frame, station):
    return str(frame.query("station == @station").sort_values("temp_c").dropna().iloc[-1].date.date())
# ==== honest: split over cells, with prints and a warning
# %% load_readings
def load_readings(path):
    df = pd.read_csv(path)
    print("read", len(df), "rows")
    df["date"] = pd.to_datetime(df["date"], format="%Y-%m-%d")
    return df
# %% fill_gaps
import warnings

def mean_of(frame):
    return frame.pivot_table(index="station", values="temp_c", aggfunc="mean")["temp_c"]
# %% + after:fill_gaps
def fill_gaps(frame):
    result = frame.copy()
    means = mean_of(frame)
    missing = result["temp_c"].isna()
    result.loc[missing, "temp_c"] = result.loc[missing, "station"].map(means)
    return result

warnings.warn("I am not sure about rounding")
# %% + after:with_heights
print(with_heights(readings, stations).to_string())
# %% warmest_day
def warmest_day(frame, station):
    best, day = None, None
    for _, row in frame.iterrows():
        if row["station"] == station and (best is None or row["temp_c"] > best):
            best, day = row["temp_c"], row["date"]
    return f"{day:%Y-%m-%d}"
# ==== mistake: dates stay text, and the gaps get the mean of all stations
# %% load_readings
def load_readings(path):
    return pd.read_csv(path)
# %% fill_gaps
def fill_gaps(frame):
    return frame.fillna({"temp_c": frame["temp_c"].mean()})
# ==== mistake: changes the frame that it is handed, and joins without stations that have no readings
# %% fill_gaps
def fill_gaps(frame):
    for name in frame["station"].unique():
        mine = frame["station"] == name
        frame.loc[mine, "temp_c"] = frame.loc[mine, "temp_c"].fillna(frame.loc[mine, "temp_c"].mean())
    return frame
# %% with_heights
def with_heights(frame, known):
    return frame.merge(known)
# ==== mistake: station as a column, wet days from 1 mm on, and the last function is not done
# %% summarise
def summarise(frame):
    g = frame.groupby("station", as_index=False).agg(mean_temp=("temp_c", "mean"), total_rain=("rain_mm", "sum"))
    g["wet_days"] = frame.groupby("station")["rain_mm"].apply(lambda r: (r >= 1).sum()).values
    return g
# %% warmest_day
def warmest_day(frame, station):
    pass
