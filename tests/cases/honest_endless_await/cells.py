# %% + after:setup
import asyncio

await asyncio.sleep(1000)
# %% + after:setup
print("the next cell")
