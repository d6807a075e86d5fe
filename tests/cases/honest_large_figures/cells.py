# %% + after:setup
%matplotlib inline
import matplotlib.pyplot as plt

plt.plot([1, 2])
plt.show()
plt.plot([2, 1])
plt.show()
plt.show()

# %% + after:setup
figure, axes = plt.subplots(figsize=(30, 20))
axes.imshow(np.random.default_rng(1).random((500, 500)))
plt.show()

# %% + after:total
left_open = plt.figure()
