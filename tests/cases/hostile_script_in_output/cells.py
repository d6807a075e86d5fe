# %% + after:setup
from IPython.display import HTML, Javascript, display

display(HTML("<script>document.body.innerHTML = '100 points'</script>"))
display(Javascript("alert(1)"))
print("\x1b[31m\x1b]0;title\x07\r\x08 </pre><b>bold")
