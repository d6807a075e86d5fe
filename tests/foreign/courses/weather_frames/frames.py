# %% [markdown]
# # Weather stations
# Three stations have measured temperature and rain for four days. A gap is a day on which the
# instrument did not report. Each function gets a data frame; none of them may change the frame it gets.

# %% locked="imports"
import pandas as pd
import numpy as np

pd.set_option("display.max_rows", 8)

# %% [markdown]
# ## Load (2 points)
# Read a file such as `readings.csv`; its dates become real dates, and the rows are numbered from 0.

# %% solution="load_readings"
def load_readings(path):
    """The readings of a CSV file, with `date` as datetime64."""
    ### BEGIN SOLUTION
    return pd.read_csv(path, parse_dates=["date"])
    ### END SOLUTION

# %% test="test_load_readings" points=2
df = load_readings("readings.csv")
assert isinstance(df, pd.DataFrame), "return a data frame"
assert list(df.columns) == ["station", "date", "temp_c", "rain_mm"]
assert len(df) == 12
### BEGIN HIDDEN TESTS
assert str(df["date"].dtype).startswith("datetime64"), "dates are still text"
assert df["temp_c"].isna().sum() == 2
assert df.loc[5, "temp_c"] == 11.5
### END HIDDEN TESTS

# %% locked="frame"
readings = pd.read_csv("readings.csv", parse_dates=["date"])
stations = pd.read_csv("stations.csv")

# %% [markdown]
# ## Gaps (2 points)
# Fill every missing temperature with the mean of the same station.

# %% solution="fill_gaps"
def fill_gaps(frame):
    ### BEGIN SOLUTION
    means = frame.groupby("station")["temp_c"].transform("mean")
    return frame.assign(temp_c=frame["temp_c"].fillna(means))
    ### END SOLUTION

# %% test="test_fill_gaps" points=2
filled = fill_gaps(readings)
assert filled["temp_c"].isna().sum() == 0
assert readings["temp_c"].isna().sum() == 2, "you have changed the frame that was given to you"
### BEGIN HIDDEN TESTS
from pandas.testing import assert_frame_equal, assert_series_equal
assert abs(filled.loc[2, "temp_c"] - 6.0) < 1e-9
assert abs(filled.loc[7, "temp_c"] - 61 / 6) < 1e-9
assert_frame_equal(filled.drop(columns="temp_c"), readings.drop(columns="temp_c"))
### END HIDDEN TESTS

# %% [markdown]
# ## Summary (3 points)
# One row a station, in alphabetical order, with the columns `mean_temp`, `total_rain` and `wet_days`
# (days with more than 1 mm). The station is the index.

# %% solution="summarise"
def summarise(frame):
    ### BEGIN SOLUTION
    groups = frame.groupby("station")
    return pd.DataFrame({
        "mean_temp": groups["temp_c"].mean(),
        "total_rain": groups["rain_mm"].sum(),
        "wet_days": groups["rain_mm"].apply(lambda rain: int((rain > 1).sum())),
    })
    ### END SOLUTION

# %% test="test_summarise_shape" points=1
summary = summarise(readings)
assert list(summary.index) == ["Alder", "Birch", "Cedar"]
assert set(summary.columns) == {"mean_temp", "total_rain", "wet_days"}

# %% test="test_summarise_values" points=2
summary = summarise(readings)
np.testing.assert_allclose(summary["mean_temp"], [6.0, 61 / 6, 0.75])
### BEGIN HIDDEN TESTS
np.testing.assert_allclose(summary["total_rain"].to_numpy(), [3.5, 5.8, 11.2])
assert_series_equal(summary["wet_days"].astype("int64"), pd.Series([2, 1, 2], index=summary.index, name="wet_days"))
assert summarise(readings[readings["station"] == "Cedar"]).shape == (1, 3)
### END HIDDEN TESTS

# %% [markdown]
# ## Together (2 points)
# Join the readings with what is known of the stations, and keep stations that have no readings.

# %% solution="with_heights"
def with_heights(frame, known):
    ### BEGIN SOLUTION
    return known.merge(frame, on="station", how="left")
    ### END SOLUTION

# %% test="test_with_heights" points=2
joined = with_heights(readings, stations)
assert {"height_m", "region", "temp_c"} <= set(joined.columns)
assert len(joined) == 13, "a station without readings stays in the table"
### BEGIN HIDDEN TESTS
assert joined[joined["station"] == "Dogwood"]["temp_c"].isna().all()
by_region = joined.groupby("region")["rain_mm"].sum()
assert abs(by_region["alps"] - 11.2) < 1e-9
assert joined.query("height_m > 900")["station"].unique().tolist() == ["Cedar"]
### END HIDDEN TESTS

# %% [markdown]
# ## The warmest day (1 point)
# The date of the highest temperature of a station, as text such as `2023-03-02`.

# %% solution="warmest_day"
def warmest_day(frame, station):
    ### BEGIN SOLUTION
    rows = frame[frame["station"] == station]
    return rows.loc[rows["temp_c"].idxmax(), "date"].strftime("%Y-%m-%d")
    ### END SOLUTION

# %% test="test_warmest_day" points=1
assert warmest_day(readings, "Birch") == "2023-03-02"
### BEGIN HIDDEN TESTS
for name, day in [("Alder", "2023-03-04"), ("Cedar", "2023-03-03")]:
    assert warmest_day(readings, name) == day, name
### END HIDDEN TESTS
